#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "target/postgres/result.hpp"
#include "target/target.hpp"

namespace datachange::postgres {

/// The server's per-transaction counters of touched rows (pg_stat_get_xact_tuples_*), read as differences:
/// they also hold what earlier transactions of the same session have not handed to the statistics yet, and
/// with a pooler these need not have been ours. Within a transaction nothing is handed over.
///
/// What they cannot tell:
/// - Rows of a sub-transaction that was rolled back (an EXCEPTION block) stay counted. There are too many
/// then, never
///   too few: a false alarm. There is no sign of it: such a sub-transaction leaves an aborted transaction
///   number behind, but within one snapshot nothing says how far the numbers have come, nor whose an aborted
///   one was.
/// - Rows of a table truncated later in the transaction are not counted: `truncated` says so.
/// - A table that is dropped takes its counts along. Foreign tables and large objects have none.
class Witness {
public:
    /// The query whose answer start() takes; for the end of the script that opens a transaction.
    static const char* baseline_query();
    /// @param counts track_counts as the server has it
    void start(const Result& baseline, bool counts);
    /// No transaction that is counted is open.
    void stop() { m_started = false; }

    /// The query whose answer read() takes.
    static const char* touched_query();
    struct Reading {
        TouchedTables touched;
        std::string transaction;  ///< as pg_catalog.txid_current() gives it
    };
    /// @param journal_schema the bare name of the schema where the journal's tables stand, which are left
    /// out.
    Reading read(const Result& found, const std::string& journal_schema) const;
    /// Where nothing was executed since start() that could have touched a row.
    TouchedTables untouched() const;

private:
    using Counters = std::array<std::int64_t, 3>;  ///< inserted, updated, deleted

    static Counters counters(const Result& result, std::size_t row);

    std::map<std::string, Counters> m_baseline;  ///< by oid
    bool m_started = false;
    bool m_counts = false;
};

}  // namespace datachange::postgres
