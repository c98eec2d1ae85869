#pragma once

#include <cstdint>
#include <string>

#include "record/ledger/ledger_reader.hpp"

namespace datachange {

/// The columns of one row, taken one after the other.
class Cursor {
public:
    explicit Cursor(SQLite::Statement& query) : m_query(query) {}

    std::string text() { return m_query.getColumn(m_next++).getString(); }
    std::int64_t number() { return m_query.getColumn(m_next++).getInt64(); }
    int small() { return m_query.getColumn(m_next++).getInt(); }
    std::uint64_t count() { return static_cast<std::uint64_t>(number()); }
    RowCounts counts() {
        RowCounts rows;
        for (std::uint64_t* field : {&rows.pre, &rows.change, &rows.post, &rows.updated, &rows.inserted,
                                     &rows.deleted, &rows.unchanged, &rows.missing, &rows.unexpected}) {
            *field = count();
        }
        return rows;
    }

private:
    SQLite::Statement& m_query;
    int m_next = 0;
};

/// The columns of RowCounts, as Cursor::counts() takes them.
inline constexpr const char* count_columns =
    "rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing, unexpected";

/// SELECT of what read_run() takes. @param rest WHERE and what follows.
std::string select_runs(const char* rest);

LedgerRun read_run(Cursor row);
LedgerStep read_step(Cursor row);
LedgerBatch read_batch(Cursor row);
HistoryEntry read_history(Cursor row);

}  // namespace datachange
