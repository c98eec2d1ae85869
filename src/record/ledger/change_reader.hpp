#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "record/ledger/row_images.hpp"

namespace datachange {

/// A row of a run as the ledger has it. What it refers to lives until the next one is read.
struct ChangeRow {
    std::string_view batch;
    BlockRow row;
    const RowImages* images;  ///< values in the order of the step's before and after columns
};

/// Goes through the rows of one step's committed batches in the order of the CSV files, a block at a time.
///
/// Methods throw SQLite::Exception, or std::invalid_argument for a block that is none.
class ChangeReader {
public:
    enum class Order { recorded, last_first };

    /// @param database a ledger; all that is read is of one state of it if the caller has a transaction open
    /// @param identifier not empty: leaves out what cannot have it, old or new; others may still come
    ChangeReader(SQLite::Database& database, std::int64_t run, int step, Order order = Order::recorded,
                 const std::string& identifier = {});

    /// How many batches there are, with rows or without.
    std::size_t batches() const { return m_spans.size(); }
    /// The next row; nullptr behind the last one.
    const ChangeRow* next();

private:
    /// The rows of one batch.
    struct Span {
        std::string batch;
        std::int64_t id, first, last;
    };

    bool open_block();

    bool m_last_first;
    SQLite::Statement m_blocks;
    std::vector<Span> m_spans;
    std::size_t m_next_span = 0;  ///< the one in hand is the one before
    BlockReader m_block;
    std::size_t m_place = 0, m_size = 0;  ///< in the block in hand
    RowImages m_images;
    ChangeRow m_row{};
};

}  // namespace datachange
