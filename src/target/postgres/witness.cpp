#include "target/postgres/witness.hpp"

namespace datachange::postgres {

// the functions and not the view pg_stat_xact_user_tables: with 5,000 tables it takes four times as long
const char* Witness::baseline_query() {
    return "SELECT c.oid, pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid),"
           " pg_catalog.pg_stat_get_xact_tuples_updated(c.oid), "
           "pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)"
           " FROM pg_catalog.pg_class c WHERE c.relkind = 'r'"
           " AND pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) + "
           "pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)"
           " + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) > 0";
}

namespace {

/// Tables touched in this transaction, or counted before it. A table is taken for truncated if this
/// transaction has written its row of pg_class, it has no pages and no tuples by that row, and it was not
/// created here as well: TRUNCATE gives a table a new file and sets both to nothing. Who wrote the row shows
/// in xmin: it is not older than this transaction, and still in progress though we see it. (xmin may be a
/// sub-transaction's, so it is not compared with our own number.) Comparing file numbers would need those of
/// every table beforehand. An ALTER TABLE of a table that was never analysed looks the same.
///
/// A partition or table that others made after this transaction's snapshot is not in pg_class as we read it,
/// though rows go there: our locks name it, and functions that look past the snapshot know its root.
///
/// It takes no parameters: with them the server would plan it anew each time, which takes longer than to
/// execute it.
const char* const touched_text = R"(
WITH own AS MATERIALIZED (SELECT pg_catalog.txid_current_if_assigned() AS xid),
counted AS (
    SELECT c.oid,
           pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
           pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated,
           pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted,
           c.relpages = 0 AND c.reltuples <= 0 AND own.xid IS NOT NULL AND pg_catalog.age(c.xmin) <= 0
           AND pg_catalog.txid_status((own.xid >> 32 << 32) + c.xmin::text::bigint) = 'in progress'
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid = c.oid AND a.attnum = -1 AND pg_catalog.age(a.xmin) <= 0) AS truncated
    FROM pg_catalog.pg_class c CROSS JOIN own
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    UNION ALL
    SELECT l.relation,
           pg_catalog.pg_stat_get_xact_tuples_inserted(l.relation),
           pg_catalog.pg_stat_get_xact_tuples_updated(l.relation),
           pg_catalog.pg_stat_get_xact_tuples_deleted(l.relation),
           false
    FROM pg_catalog.pg_locks l
    WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock'
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = l.relation)
)
SELECT 0 AS oid, 0 AS inserted, 0 AS updated, 0 AS deleted, pg_catalog.current_setting('track_counts') = 'on',
       pg_catalog.txid_current()::pg_catalog.text, NULL, NULL
UNION ALL
SELECT counted.oid, counted.inserted, counted.updated, counted.deleted, counted.truncated,
       NULL, n.nspname, coalesce(r.relname, counted.oid::pg_catalog.regclass::text)
FROM counted
LEFT JOIN pg_catalog.pg_class r ON r.oid = coalesce(pg_catalog.pg_partition_root(counted.oid), counted.oid)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE (counted.inserted + counted.updated + counted.deleted > 0 OR counted.truncated)
  AND coalesce(n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'), true))";

TouchedTables unavailable(std::string reason) {
    return {TouchedTables::Trust::unavailable, std::move(reason), {}};
}

TouchedTables not_counted() {
    return unavailable("track_counts is off on the server");
}

TouchedTables not_started() {
    return unavailable("no transaction that writes is open");
}

}  // namespace

Witness::Counters Witness::counters(const Result& result, std::size_t row) {
    return {std::stoll(result.text(row, 1)), std::stoll(result.text(row, 2)),
            std::stoll(result.text(row, 3))};
}

void Witness::start(const Result& baseline, bool counts) {
    m_baseline.clear();
    for (std::size_t row = 0; row < baseline.size(); ++row) {
        m_baseline[baseline.text(row, 0)] = counters(baseline, row);
    }
    m_started = true;
    m_counts = counts;
}

const char* Witness::touched_query() {
    return touched_text;
}

TouchedTables Witness::untouched() const {
    if (!m_started) return not_started();
    return m_counts ? TouchedTables{} : not_counted();
}

Witness::Reading Witness::read(const Result& found, const std::string& journal_schema) const {
    Reading reading;
    bool counts = true;
    for (std::size_t row = 0; row < found.size(); ++row) {
        const std::string oid = found.text(row, 0);
        if (oid == "0") {  // the row about the transaction
            reading.transaction = found.text(row, 5);
            counts = found.view(row, 4) == "t";
            continue;
        }
        const std::string schema = found.text(row, 6), name = found.text(row, 7);
        if (schema == journal_schema && (name == "datachange_runs" || name == "datachange_batches")) continue;
        Counters now = counters(found, row);
        if (const auto before = m_baseline.find(oid); before != m_baseline.end()) {
            for (std::size_t i = 0; i < now.size(); ++i) now[i] -= before->second[i];
        }
        const bool truncated = found.view(row, 4) == "t";
        if (now == Counters{} && !truncated) continue;
        Touched& table = reading.touched.tables[schema.empty() ? name : schema + "." + name];
        table.inserted += now[0];
        table.updated += now[1];
        table.deleted += now[2];
        table.truncated = table.truncated || truncated;
    }
    if (!m_started) reading.touched = not_started();
    if (!counts) reading.touched = not_counted();
    return reading;
}

}  // namespace datachange::postgres
