#include "record/ledger/ownership.hpp"

#include <fmt/format.h>

namespace datachange {

void Ownership::require() const {
    SQLite::Statement& query = m_ledger.bound("SELECT epoch FROM runs WHERE run_id = ?", m_run_id);
    const bool owned = query.executeStep() && query.getColumn(0).getInt64() == m_epoch;
    query.reset();
    if (!owned) throw taken_over(m_ledger, m_run_id);
}

TakenOver taken_over(Ledger& ledger, std::int64_t run_id) {
    SQLite::Statement& query = ledger.bound(
        "SELECT coalesce('process ' || process, 'another process') || coalesce(' on ' || process_host, '')"
        " FROM runs WHERE run_id = ?",
        run_id);
    const std::string owner = query.executeStep() ? query.getColumn(0).getString() : "another process";
    query.reset();
    return {ExitCode::pending, fmt::format("the run was taken over by {}", owner),
            fmt::format("Nothing more was written here. `datachange show {}` tells how it goes on.", run_id)};
}

}  // namespace datachange
