#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/row_set.hpp"

namespace datachange {

/// The key of one row, read where it stands. Set and list of columns must outlive it.
struct KeyAt {
    const RowSet* rows;
    std::size_t row;
    const std::vector<std::size_t>* columns;

    std::size_t width() const { return columns->size(); }
    ValueView operator[](std::size_t i) const { return rows->at(row, (*columns)[i]); }
};

/// Byte for byte, and of the same kind.
bool same_key(const KeyAt& a, const KeyAt& b);

/// A strict order of keys that is nobody's but ours: integers by size, everything else by its bytes. Keys
/// that ascend in it are distinct, whatever order the database goes by.
bool ascends(const KeyAt& a, const KeyAt& b);

/// Keys in the order they came, each once, numbered from 0; none is copied.
///
/// The sets of a batch nearly always come in one order, so the key behind the one found last is looked at
/// first, and a key that ascends from the last of an ascending sequence is known to be new. Only where both
/// fail are keys hashed.
class KeyIndex {
public:
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    struct Added {
        std::size_t number;
        bool is_new;
    };

    void reserve(std::size_t keys) { m_keys.reserve(keys); }
    std::size_t size() const { return m_keys.size(); }
    const KeyAt& operator[](std::size_t number) const { return m_keys[number]; }
    /// @return its number, or npos.
    std::size_t find(const KeyAt& key);
    /// Its number, which is the next one where it is new.
    Added add(const KeyAt& key);
    /// The next key asked for is expected to be the first.
    void rewind() { m_expected = 0; }

private:
    /// A place in the table: the number of a key plus one (0: free), and the hash that led here.
    struct Slot {
        std::uint32_t number = 0;
        std::uint32_t hash = 0;
    };

    bool is_expected(const KeyAt& key) const;
    bool is_beyond_last(const KeyAt& key) const;
    void append(const KeyAt& key);
    void index_all();
    std::size_t slot_of(const KeyAt& key, std::uint32_t hash) const;
    void grow(std::size_t slots);

    std::vector<KeyAt> m_keys;
    std::size_t m_expected = 0;
    bool m_ascending = true;
    std::size_t m_indexed = 0;  ///< keys that are in the table, from the first
    std::vector<Slot> m_slots;  ///< a power of two of them, at most half taken
};

}  // namespace datachange
