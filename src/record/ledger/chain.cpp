#include <algorithm>
#include <array>

#include "core/batch_path.hpp"
#include "core/clock.hpp"
#include "record/ledger/field_hash.hpp"
#include "record/ledger/run_tables.hpp"

namespace datachange {

namespace {

// What the content of a link covers, in this order, row by row and column by column. README.md repeats these
// queries for those who check it by other means: they are part of the format.
struct Covered {
    const char* name;
    const char* sql;
};

constexpr std::array covered{
    Covered{
        "runs",
        "SELECT uuid, version, name, definition_sha256, engine, target, operator, host, ticket, mode, state,"
        " rows_changed, started_at, finished_at, error, author, tool_version, server_version, epoch"
        " FROM runs WHERE run_id = ?"},
    Covered{
        "steps",
        "SELECT step, name, table_name, identifier_columns, watch_of, evidence, before_columns, before_types,"
        " returned_columns, returned_types, after_columns, after_types FROM steps WHERE run_id = ?"
        " ORDER BY step"},
    Covered{"summaries",
            "SELECT step, moment, result FROM summaries WHERE run_id = ? ORDER BY step, moment DESC"},
    Covered{
        "failures",
        "SELECT step, batch, identifier, sqlstate, message, at, resolved_at FROM failures WHERE run_id = ?"
        " ORDER BY rowid"},
    Covered{"collateral",
            "SELECT step, batch, table_name, inserted, updated, deleted, truncated FROM collateral WHERE "
            "run_id = ?"
            " ORDER BY step, batch, table_name"},
    Covered{"conflicts",
            "SELECT step, batch, identifier, column_name, before, after, live FROM conflicts WHERE run_id = ?"
            " ORDER BY rowid"},
    Covered{"elsewhere",
            "SELECT step, batch, lower_key, upper_key, rows_changed, leaf, ledger_uuid FROM elsewhere"
            " WHERE run_id = ? ORDER BY step, batch"},
};

void hash_query(Ledger& ledger, std::int64_t run_id, const Covered& part, FieldHash& hash) {
    SQLite::Statement& query = ledger.bound(part.sql, run_id);
    while (query.executeStep()) {
        hash.text(part.name);
        for (int i = 0; i < query.getColumnCount(); ++i) {
            const SQLite::Column value = query.getColumn(i);
            value.isNull() ? hash.null() : hash.text(value.getString());
        }
    }
    query.reset();
}

/// The batches that have committed, those that the target has lost since among them, in the order of steps
/// and paths.
struct Leaf {
    std::int64_t step;
    std::string batch, state, leaf;
};

std::vector<Leaf> ordered_leaves(Ledger& ledger, std::int64_t run_id) {
    std::vector<Leaf> leaves;
    SQLite::Statement& query = ledger.bound(
        "SELECT step, batch, state, leaf FROM batch WHERE run_id = ? AND state IN ('committed', 'lost')",
        run_id);
    while (query.executeStep()) {
        leaves.push_back({query.getColumn(0).getInt64(), query.getColumn(1).getString(),
                          query.getColumn(2).getString(), query.getColumn(3).getString()});
    }
    query.reset();
    std::sort(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) {
        return a.step != b.step ? a.step < b.step : batch_path_less(a.batch, b.batch);
    });
    return leaves;
}

std::string content_of(Ledger& ledger, std::int64_t run_id, const std::vector<Leaf>& leaves) {
    FieldHash hash;
    for (const Covered& part : covered) hash_query(ledger, run_id, part, hash);
    for (const Leaf& leaf : leaves) {
        hash.text("batches");
        hash.number(leaf.step);
        hash.text(leaf.batch);
        hash.text(leaf.state);
        hash.text(leaf.leaf);
    }
    return hash.finish();
}

std::string head(Ledger& ledger) {
    SQLite::Statement& query = ledger.statement("SELECT root FROM chain ORDER BY link DESC LIMIT 1");
    std::string root = query.executeStep() ? query.getColumn(0).getString() : "";
    query.reset();
    return root;
}

}  // namespace

std::string append_to_chain(Ledger& ledger, std::int64_t run_id) {
    constexpr int format = 2;
    const std::vector<Leaf> leaves = ordered_leaves(ledger, run_id);
    const std::string content = content_of(ledger, run_id, leaves), previous = head(ledger);
    FieldHash hash;
    hash.text("datachange root 2");
    hash.text(previous);
    hash.text(content);
    std::string root = hash.finish();
    ledger.execute(
        "INSERT INTO chain(run_id, at, leaves, previous, root, format, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
        run_id, utc_now(), leaves.size(), previous, root, format, content);
    ledger.execute("UPDATE runs SET root = ? WHERE run_id = ?", root, run_id);
    return root;
}

}  // namespace datachange
