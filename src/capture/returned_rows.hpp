#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/key_index.hpp"
#include "capture/row_file.hpp"

namespace SQLite {
class Database;
}

namespace datachange {

/// Whether the keys of rows that come piece by piece ascend, from the first to the last: then each is there
/// but once, and two such sequences can be merged.
class KeySequence {
public:
    explicit KeySequence(std::vector<std::size_t> columns) : m_columns(std::move(columns)) {}
    void see(const RowSet& rows);
    bool ascends() const { return m_ascends; }

private:
    std::vector<std::size_t> m_columns;
    RowSet m_last;
    bool m_ascends = true;
};

/// What one statement has returned, in a file, to be taken out by key.
///
/// Where the rows come in the order in which they are asked for, as they nearly always do where that is the
/// order of a table's keys, they are read from one end to the other. Else their places are looked up in a
/// temporary database.
class ReturnedRows {
public:
    /// @param identifier the places of its columns
    /// @param in_order keys ascend, and are asked for in ascending order
    ReturnedRows(RowFile rows, std::vector<std::size_t> identifier, bool in_order);
    ~ReturnedRows();

    const std::vector<Column>& columns() const { return m_rows.columns(); }
    std::uint64_t size() const { return m_rows.size(); }
    /// How many have been taken.
    std::uint64_t taken() const { return m_taken; }
    /// False if a key comes twice.
    bool distinct() const { return m_distinct; }
    /// Adds the row with a key to rows of these columns. @return false if there is none
    bool take(const KeyAt& key, RowSet& into);

private:
    bool take_next(const KeyAt& key, RowSet& into);
    bool look_up(const KeyAt& key, RowSet& into);
    void index();

    RowFile m_rows;
    std::vector<std::size_t> m_identifier;
    bool m_in_order;
    bool m_distinct = true;
    std::uint64_t m_taken = 0;
    RowFile::Reader m_reader;
    RowSet m_chunk;  ///< rows that were read and not all taken
    std::size_t m_at = 0;
    std::unique_ptr<SQLite::Database> m_index;
    struct Lookup;
    std::unique_ptr<Lookup> m_lookup;
};

}  // namespace datachange
