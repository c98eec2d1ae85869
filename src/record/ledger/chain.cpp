#include "record/ledger/chain.hpp"

#include <algorithm>
#include <optional>

#include "core/batch_path.hpp"
#include "core/clock.hpp"
#include "record/ledger/chain_format.hpp"
#include "record/ledger/field_hash.hpp"
#include "record/ledger/ledger_rows.hpp"

namespace datachange {

namespace {

using Cells = std::vector<std::optional<std::string>>;

Cells read_cells(SQLite::Statement& query) {
    Cells cells;
    for (int i = 0; i < query.getColumnCount(); ++i) {
        const SQLite::Column value = query.getColumn(i);
        cells.push_back(value.isNull() ? std::nullopt : std::optional{value.getString()});
    }
    return cells;
}

void hash_cells(FieldHash& hash, const Cells& cells) {
    for (const auto& cell : cells) cell ? hash.text(*cell) : hash.null();
}

void hash_query(Ledger& ledger, std::int64_t run_id, const Covered& part, FieldHash& hash) {
    SQLite::Statement& query = ledger.bound(part.sql, run_id);
    while (query.executeStep()) {
        if (part.name != nullptr) hash.text(part.name);
        hash_cells(hash, read_cells(query));
    }
    query.reset();
}

/// The batches that have committed, those that the target has lost since among them, in the order of steps
/// and paths, which are the first two columns.
/// @return how many
std::uint64_t hash_batches(Ledger& ledger, std::int64_t run_id, const Covered& part, FieldHash& hash) {
    std::vector<Cells> batches;
    SQLite::Statement& query = ledger.bound(part.sql, run_id);
    while (query.executeStep()) batches.push_back(read_cells(query));
    query.reset();
    std::sort(batches.begin(), batches.end(), [](const Cells& a, const Cells& b) {
        return *a[0] != *b[0] ? std::stoll(*a[0]) < std::stoll(*b[0]) : batch_path_less(*a[1], *b[1]);
    });
    for (const Cells& batch : batches) {
        if (part.name != nullptr) hash.text(part.name);
        hash_cells(hash, batch);
    }
    return batches.size();
}

std::uint64_t hash_run(Ledger& ledger, std::int64_t run_id, const ChainFormat& format, FieldHash& hash) {
    for (const Covered& part : format.parts) hash_query(ledger, run_id, part, hash);
    return hash_batches(ledger, run_id, format.batches, hash);
}

ChainLink read_link(Cursor row) {
    ChainLink link;
    link.ledger = row.text();
    link.link = row.number();
    link.run = row.number();
    link.at = row.text();
    link.leaves = row.count();
    link.previous = row.text();
    link.root = row.text();
    link.format = row.small();
    link.content = row.text();
    link.epoch = row.number();
    return link;
}

}  // namespace

RunContent content_of(Ledger& ledger, std::int64_t run_id, int format) {
    FieldHash hash;
    const std::uint64_t leaves = hash_run(ledger, run_id, chain_format(format), hash);
    return {hash.finish(), leaves};
}

std::string root_of(Ledger& ledger, const ChainLink& link) {
    FieldHash hash;
    hash.text("datachange root " + std::to_string(link.format));
    if (link.format >= 3) {
        hash.text(link.ledger);
        hash.number(link.link);
        hash.text(link.at);
        hash.number(static_cast<std::int64_t>(link.leaves));
        hash.number(link.epoch);
    }
    hash.text(link.previous);
    if (link.format == 1) {
        hash_run(ledger, link.run, chain_format(1), hash);
    } else {
        hash.text(link.content);
    }
    return hash.finish();
}

std::string append_to_chain(Ledger& ledger, std::int64_t run_id) {
    SQLite::Statement& query = ledger.bound(
        "SELECT (SELECT coalesce(max(link), 0) + 1 FROM chain), epoch FROM runs WHERE run_id = ?", run_id);
    query.executeStep();
    ChainLink link;
    link.link = query.getColumn(0).getInt64();
    link.epoch = query.getColumn(1).getInt64();
    query.reset();
    link.ledger = ledger.uuid();
    link.at = utc_now();
    link.previous = chain_head(ledger);
    link.format = newest_chain_format;
    const RunContent content = content_of(ledger, run_id, link.format);
    link.content = content.sha256;
    link.leaves = content.leaves;
    link.root = root_of(ledger, link);
    ledger.execute(
        "INSERT INTO chain(link, run_id, at, leaves, previous, root, format, content, epoch)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        link.link, run_id, link.at, link.leaves, link.previous, link.root, link.format, link.content,
        link.epoch);
    ledger.execute("UPDATE runs SET root = ? WHERE run_id = ?", link.root, run_id);
    return link.root;
}

std::vector<ChainLink> chain_links(Ledger& ledger) {
    std::vector<ChainLink> links;
    for (const char* sql :
         {"SELECT (SELECT value FROM meta WHERE name = 'uuid'), link, run_id, at, leaves, previous, root, "
          "format, content, epoch FROM chain ORDER BY link",
          "SELECT ledger_uuid, link, run_id, at, leaves, previous, root, format, content, epoch"
          " FROM merged_chain ORDER BY ledger_uuid, link"}) {
        SQLite::Statement& query = ledger.bound(sql);
        while (query.executeStep()) links.push_back(read_link(Cursor{query}));
        query.reset();
    }
    return links;
}

std::string chain_head(Ledger& ledger) {
    SQLite::Statement& query = ledger.bound("SELECT root FROM chain ORDER BY link DESC LIMIT 1");
    std::string root = query.executeStep() ? query.getColumn(0).getString() : "";
    query.reset();
    return root;
}

}  // namespace datachange
