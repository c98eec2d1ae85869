#pragma once

#include <cstdint>
#include <vector>

#include "core/row_set.hpp"
#include "record/ledger/ledger.hpp"

namespace datachange {

/// Sets that are kept for batches by key list, until the run ends for good: one that goes on finds them as
/// they were. Throws SQLite::Exception.
class Spool {
public:
    Spool(Ledger& ledger, std::int64_t run_id) : m_ledger(ledger), m_run_id(run_id) {}

    /// Appends rows to the set of a step. All pieces of a set have the columns of the first.
    void append(int step, const RowSet& rows);
    /// Rows [from, from + count) as they were given; fewer at the end.
    RowSet read(int step, std::uint64_t from, std::uint64_t count);
    /// Rows of a step's set.
    std::uint64_t size(int step);
    /// Deletes all sets of the run.
    void drop();
    /// Deletes the set of one step.
    void drop(int step);

private:
    std::vector<Column> columns(int step);

    Ledger& m_ledger;
    std::int64_t m_run_id;
};

}  // namespace datachange
