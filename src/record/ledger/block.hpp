#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "record/ledger/stored_row.hpp"

namespace datachange {

/// Rows of one batch as the table `block` keeps them: an array of JSON for each column of the view `change`.
/// A column in which every row has NULL is empty here, and NULL in the table.
struct Block {
    std::size_t rows = 0;
    std::string lowest, highest;  ///< of the identifiers, old and new, in the order of their bytes
    std::string identifiers;
    std::string actions;  ///< one number where all rows have the same
    std::string before, after, returned, new_identifiers;

    std::size_t bytes() const {
        return identifiers.size() + actions.size() + before.size() + after.size() + returned.size() +
               new_identifiers.size();
    }
};

/// Puts rows together to blocks.
class BlockBuilder {
public:
    void add(const StoredRow& row);
    bool empty() const { return m_rows == 0; }
    /// It is time to take the block: small enough for one row to be found in it quickly, large enough for
    /// SQLite to have little to do.
    bool full() const { return m_rows >= most_rows || m_bytes >= most_bytes; }
    /// The block, complete; the builder is empty again.
    Block take();

private:
    static constexpr std::size_t most_rows = 512;
    static constexpr std::size_t most_bytes = std::size_t{32} * 1024;

    /// A JSON array that is only begun where some row has a value.
    class Cells {
    public:
        /// @param before rows that came before this one
        void add(std::size_t before, std::string_view json);
        std::string take();

    private:
        std::string m_json;
    };
    void bound(const std::string& identifier);

    std::size_t m_rows = 0, m_bytes = 0;
    std::string m_lowest, m_highest;
    int m_action = 0;  ///< of the first row
    bool m_same_action = true;
    Cells m_identifiers, m_before, m_after, m_returned, m_new_identifiers;
    std::string m_actions, m_text;
};

/// What stands beside the columns of a block and follows from them.
struct BlockBounds {
    std::size_t rows = 0;
    std::string_view lowest, highest;  ///< good until the next block is read
};

/// Counts that anew.
class BoundsReader {
public:
    /// @param new_identifiers empty for NULL @throws std::invalid_argument if it is no block
    BlockBounds read(std::string_view identifiers, std::string_view new_identifiers);

private:
    void bound(const std::vector<std::string_view>& cells);

    std::vector<std::string_view> m_cells;
    std::string m_memory, m_lowest, m_highest;
    bool m_any = false;
};

/// A row of a block. The texts live as long as the block and the reader's next row.
struct BlockRow {
    Action action = Action::unchanged;
    std::string_view identifier, new_identifier, before, after, returned;  ///< empty: NULL
};

/// Takes a block apart again.
class BlockReader {
public:
    /// Its columns, empty for NULL; the texts outlive the reading.
    struct Columns {
        std::string_view identifiers, actions, before, after, returned, new_identifiers;
    };
    static Columns columns(const Block& block) {
        return {block.identifiers, block.actions,  block.before,
                block.after,       block.returned, block.new_identifiers};
    }

    /// Begins with a block. @throws std::invalid_argument if it is none that was written here.
    void open(const Columns& columns);
    std::size_t size() const { return m_identifiers.size(); }
    BlockRow row(std::size_t place);

private:
    using Cells = std::vector<std::string_view>;

    void split(std::string_view json, Cells& cells) const;

    Cells m_identifiers, m_actions, m_before, m_after, m_returned, m_new_identifiers;
    std::string_view m_action;                   ///< of all rows, where they have the same
    std::string m_identifier, m_new_identifier;  ///< of the row at hand, if they had to be decoded
};

}  // namespace datachange
