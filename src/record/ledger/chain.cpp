#include <algorithm>
#include <array>

#include "core/batch_path.hpp"
#include "core/clock.hpp"
#include "record/ledger/field_hash.hpp"
#include "record/ledger/run_tables.hpp"

namespace datachange {

namespace {

// What a root covers, in this order, row by row and column by column. README.md repeats these queries for
// those who check a root by other means: they are part of the format.
constexpr std::array covered{
    "SELECT uuid, version, name, definition_sha256, engine, target, operator, host, ticket, mode, state,"
    " rows_changed, started_at, finished_at, error, author, tool_version, server_version"
    " FROM runs WHERE run_id = ?",
    "SELECT step, name, table_name, identifier_columns, watch_of, evidence, before_columns, before_types,"
    " returned_columns, returned_types, after_columns, after_types FROM steps WHERE run_id = ? ORDER BY step",
    "SELECT step, moment, result FROM summaries WHERE run_id = ? ORDER BY step, moment DESC",
};

void hash_query(Ledger& ledger, std::int64_t run_id, const char* sql, FieldHash& hash) {
    SQLite::Statement& query = ledger.bound(sql, run_id);
    while (query.executeStep()) {
        for (int i = 0; i < query.getColumnCount(); ++i) {
            const SQLite::Column value = query.getColumn(i);
            value.isNull() ? hash.null() : hash.text(value.getString());
        }
    }
    query.reset();
}

/// Step, path and leaf of the committed batches, in the order of steps and paths.
struct Leaf {
    std::int64_t step;
    std::string batch, leaf;
};

std::vector<Leaf> ordered_leaves(Ledger& ledger, std::int64_t run_id) {
    std::vector<Leaf> leaves;
    SQLite::Statement& query =
        ledger.bound("SELECT step, batch, leaf FROM batch WHERE run_id = ? AND state = 'committed'", run_id);
    while (query.executeStep()) {
        leaves.push_back(
            {query.getColumn(0).getInt64(), query.getColumn(1).getString(), query.getColumn(2).getString()});
    }
    query.reset();
    std::sort(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) {
        return a.step != b.step ? a.step < b.step : batch_path_less(a.batch, b.batch);
    });
    return leaves;
}

std::string head(Ledger& ledger) {
    SQLite::Statement& query = ledger.statement("SELECT root FROM chain ORDER BY link DESC LIMIT 1");
    std::string root = query.executeStep() ? query.getColumn(0).getString() : "";
    query.reset();
    return root;
}

}  // namespace

std::string append_to_chain(Ledger& ledger, std::int64_t run_id) {
    const std::string previous = head(ledger);
    const std::vector<Leaf> leaves = ordered_leaves(ledger, run_id);
    FieldHash hash;
    hash.text("datachange root 1");
    hash.text(previous);
    for (const char* sql : covered) hash_query(ledger, run_id, sql, hash);
    for (const Leaf& leaf : leaves) {
        hash.number(leaf.step);
        hash.text(leaf.batch);
        hash.text(leaf.leaf);
    }
    std::string root = hash.finish();
    ledger.execute("INSERT INTO chain(run_id, at, leaves, previous, root) VALUES (?, ?, ?, ?, ?)", run_id,
                   utc_now(), leaves.size(), previous, root);
    ledger.execute("UPDATE runs SET root = ? WHERE run_id = ?", root, run_id);
    return root;
}

}  // namespace datachange
