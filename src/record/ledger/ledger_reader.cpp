#include "record/ledger/ledger_reader.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/batch_path.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"
#include "record/ledger/ledger.hpp"
#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/schema.hpp"

namespace datachange {

namespace {

/// `app."User"` and `APP.user` are one name.
std::string plain_name(const std::string& table) {
    std::string plain = lower(table);
    std::erase_if(plain, [](char c) { return c == '"' || c == '`' || c == '[' || c == ']'; });
    return plain;
}

template <class Batch>
void sort_by_path(std::vector<Batch>& batches) {
    std::sort(batches.begin(), batches.end(), [](const Batch& a, const Batch& b) {
        return a.step != b.step ? a.step < b.step : batch_path_less(a.batch, b.batch);
    });
}

/// A reader writes nothing, so it cannot bring an older ledger up to date.
void require_current(const std::string& path, SQLite::Database& database) {
    const int version = database.execAndGet("PRAGMA user_version").getInt();
    if (version == ledger_schema_version) return;
    throw Error(
        ExitCode::unreachable,
        fmt::format(
            "the ledger {} is of an older datachange: it has schema version {}, and this one reads {}", path,
            version, ledger_schema_version),
        "The next run brings it up to date, a dry run too; nothing in it is lost.");
}

}  // namespace

// A name without schema means the table in any.
bool names_table(const std::string& asked, const std::string& table) {
    const std::string a = plain_name(asked), b = plain_name(table);
    return a == b || a.ends_with("." + b) || b.ends_with("." + a);
}

std::string plain_identifier(const std::string& identifier) {
    if (!identifier.starts_with('[')) return identifier;
    try {
        std::vector<std::string> texts;
        for (const auto& value : nlohmann::json::parse(identifier)) {
            if (value.is_structured()) return identifier;
            texts.push_back(value.is_string() ? value.get<std::string>() : value.dump());
        }
        return json_array_of_strings(texts);
    } catch (const nlohmann::json::exception&) {
        return identifier;
    }
}

SQLite::Database open_ledger_for_reading(const std::string& path) {
    if (std::error_code ignored; !std::filesystem::exists(path, ignored)) {
        throw Error(ExitCode::unreachable, fmt::format("no ledger at {}", path),
                    "It is made by the first run; or name another file with --ledger.");
    }
    constexpr int lock_timeout_ms = 10'000;  // a reader waits for recovery after a crash, never for a writer
    try {
        SQLite::Database database(path, SQLite::OPEN_READONLY, lock_timeout_ms);
        database.exec("PRAGMA query_only = ON");
        if (!require_ledger(path, database)) {
            throw Error(ExitCode::unreachable, fmt::format("{} is empty, so it is no ledger", path),
                        "It is made by the first run; or name another file with --ledger.");
        }
        require_current(path, database);
        return database;
    } catch (const SQLite::Exception& failure) {
        throw ledger_failure(path, failure);
    }
}

LedgerReader::LedgerReader(const std::string& path)
    : m_path(path), m_database(open_ledger_for_reading(path)) {
}

template <class Row, class Read, class... Values>
std::vector<Row> LedgerReader::rows(const std::string& sql, Read read, const Values&... values) const {
    try {
        SQLite::Statement query(m_database, sql);
        int place = 0;
        (bind_value(query, ++place, values), ...);
        std::vector<Row> rows;
        while (query.executeStep()) rows.push_back(read(Cursor{query}));
        return rows;
    } catch (const SQLite::Exception& failure) {
        throw ledger_failure(m_path, failure);
    }
}

void LedgerReader::hold() {
    rows<int>("BEGIN", [](Cursor row) { return row.small(); });
}

std::vector<LedgerRun> LedgerReader::runs(const std::string& version, std::uint64_t limit) const {
    return rows<LedgerRun>(
        select_runs("WHERE ?1 = '' OR version = ?1 ORDER BY run_id DESC LIMIT iif(?2 = 0, -1, ?2)"), read_run,
        version, limit);
}

LedgerRun LedgerReader::run(const std::string& which) const {
    constexpr const char* list = "`datachange runs` lists them.";
    const bool number =
        !which.empty() && which.size() < 19 && which.find_first_not_of("0123456789") == std::string::npos;
    if (number) {
        const auto found = rows<LedgerRun>(select_runs("WHERE run_id = ?"), read_run, std::stoll(which));
        if (!found.empty()) return found.front();
    }
    // a few digits are a number that is not there, rather than a UUID that happens to begin so
    constexpr std::size_t shortest_beginning = 4;
    const std::string beginning = number && which.size() < shortest_beginning ? "" : lower(which);
    const auto found =
        rows<LedgerRun>(select_runs("WHERE ?1 <> '' AND substr(uuid, 1, length(?1)) = ?1 ORDER BY run_id"),
                        read_run, beginning);
    if (found.size() == 1) return found.front();
    if (found.empty()) {
        throw Error(ExitCode::usage, fmt::format("no run {} in the ledger {}", which, m_path),
                    fmt::format("A run is named by its number or the beginning of its UUID: {}", list));
    }
    throw Error(ExitCode::usage, fmt::format("{} runs of the ledger begin with {}", found.size(), which),
                fmt::format("Give more of the UUID ({} or {}), or the run's number: {}", found[0].uuid,
                            found[1].uuid, list));
}

std::optional<LedgerRun> LedgerReader::last_run_of(const std::string& version) const {
    const auto found = rows<LedgerRun>(
        select_runs("WHERE version = ? AND NOT dry_run ORDER BY run_id DESC LIMIT 1"), read_run, version);
    return found.empty() ? std::nullopt : std::optional{found.front()};
}

std::uint64_t LedgerReader::pruned_runs() const {
    return rows<std::uint64_t>("SELECT count(*) FROM runs WHERE pruned_at IS NOT NULL",
                               [](Cursor row) { return row.count(); })
        .front();
}

std::string LedgerReader::definition(std::int64_t run) const {
    const auto found = rows<std::string>(
        "SELECT definition FROM runs WHERE run_id = ?", [](Cursor row) { return row.text(); }, run);
    return found.empty() ? "" : found.front();
}

std::vector<LedgerStep> LedgerReader::steps(std::int64_t run) const {
    return rows<LedgerStep>(
        "SELECT step, watch_of, name, table_name, identifier_columns, evidence, before_columns, before_types,"
        " returned_columns, returned_types, after_columns, after_types, redacted FROM steps WHERE run_id = ? "
        "ORDER BY "
        "step",
        read_step, run);
}

bool LedgerReader::renames(std::int64_t run, int step) const {
    return !rows<std::int64_t>(
                "SELECT 1 FROM batch AS b JOIN block AS k ON k.id BETWEEN b.first_change AND b.last_change"
                " AND k.batch_id = b.id WHERE b.run_id = ? AND b.step = ? AND b.state = 'committed'"
                " AND k.new_identifiers IS NOT NULL LIMIT 1",
                [](Cursor row) { return row.number(); }, run, step)
                .empty();
}

std::vector<RowConflict> LedgerReader::conflicts(std::int64_t run) const {
    return rows<RowConflict>(
        "SELECT step, identifier, column_name, before, after, live FROM conflicts WHERE run_id = ? ORDER BY "
        "step,"
        " rowid",
        [](Cursor row) {
            RowConflict conflict;
            conflict.step = row.small();
            for (std::string* field : {&conflict.identifier, &conflict.column, &conflict.before,
                                       &conflict.after, &conflict.live}) {
                *field = row.text();
            }
            return conflict;
        },
        run);
}

std::vector<LedgerRun> LedgerReader::undos_of(const std::string& uuid) const {
    return rows<LedgerRun>(select_runs("WHERE reverses = ? AND NOT dry_run ORDER BY run_id"), read_run, uuid);
}

ChangeReader LedgerReader::changes(std::int64_t run, int step, ChangeReader::Order order,
                                   const std::string& identifier) const {
    try {
        return {m_database, run, step, order, identifier};
    } catch (const SQLite::Exception& failure) {
        throw ledger_failure(m_path, failure);
    }
}

std::vector<LedgerBatch> LedgerReader::batches(std::int64_t run) const {
    auto batches = rows<LedgerBatch>(
        fmt::format(
            "SELECT step, batch, state, lower_key, upper_key, rows, {}, attempts, started_at, duration_ms,"
            " leaf, transaction_id, witness FROM batches WHERE run_id = ?",
            count_columns),
        read_batch, run);
    sort_by_path(batches);
    return batches;
}

std::vector<LedgerSummary> LedgerReader::summaries(std::int64_t run) const {
    return rows<LedgerSummary>(
        "SELECT step, moment, result FROM summaries WHERE run_id = ? ORDER BY step, moment DESC",
        [](Cursor row) {
            const int step = row.small();
            const std::string moment = row.text();
            return LedgerSummary{step, moment, row.text()};
        },
        run);
}

std::vector<LedgerEvent> LedgerReader::events(std::int64_t run) const {
    return rows<LedgerEvent>(
        "SELECT at, kind, detail FROM events WHERE run_id = ? ORDER BY event_id",
        [](Cursor row) {
            const std::string at = row.text(), kind = row.text();
            return LedgerEvent{at, kind, row.text()};
        },
        run);
}

std::vector<LedgerApproval> LedgerReader::approvals(std::int64_t run) const {
    return rows<LedgerApproval>(
        "SELECT signer, detail, at, nonce, signature, allowed_signer FROM approvals WHERE run_id = ? ORDER BY "
        "rowid",
        [](Cursor row) {
            LedgerApproval approval;
            for (std::string* field : {&approval.signer, &approval.text, &approval.at, &approval.nonce,
                                       &approval.signature, &approval.allowed_signer}) {
                *field = row.text();
            }
            return approval;
        },
        run);
}

std::vector<LedgerFile> LedgerReader::files(std::int64_t run) const {
    return rows<LedgerFile>(
        "SELECT step, name, path, bytes, sha256 FROM files WHERE run_id = ? ORDER BY step, name",
        [](Cursor row) {
            LedgerFile file;
            file.step = row.small();
            file.name = row.text();
            file.path = row.text();
            file.bytes = row.count();
            file.sha256 = row.text();
            return file;
        },
        run);
}

std::vector<LedgerCollateral> LedgerReader::collateral(std::int64_t run) const {
    return rows<LedgerCollateral>(
        "SELECT step, batch, table_name, inserted, updated, deleted, truncated FROM collateral WHERE run_id "
        "= ?"
        " ORDER BY step, batch, table_name",
        [](Cursor row) {
            LedgerCollateral collateral;
            collateral.step = row.small();
            collateral.batch = row.text();
            collateral.rows.table = row.text();
            collateral.rows.inserted = row.number();
            collateral.rows.updated = row.number();
            collateral.rows.deleted = row.number();
            collateral.rows.truncated = row.small() != 0;
            return collateral;
        },
        run);
}

std::vector<LedgerFailure> LedgerReader::failures(std::int64_t run) const {
    return rows<LedgerFailure>(
        "SELECT step, batch, identifier, sqlstate, message, at, resolved_at FROM failures WHERE run_id = ?"
        " ORDER BY at, rowid",
        [](Cursor row) {
            LedgerFailure failure;
            failure.step = row.small();
            for (std::string* field : {&failure.batch, &failure.identifier, &failure.sqlstate,
                                       &failure.message, &failure.at, &failure.resolved_at}) {
                *field = row.text();
            }
            return failure;
        },
        run);
}

std::vector<LedgerElsewhere> LedgerReader::elsewhere(std::int64_t run) const {
    auto batches = rows<LedgerElsewhere>(
        "SELECT step, batch, lower_key, upper_key, rows_changed, leaf, ledger_uuid FROM elsewhere WHERE "
        "run_id = ?",
        [](Cursor row) {
            LedgerElsewhere batch;
            batch.step = row.small();
            batch.batch = row.text();
            batch.lower_key = row.text();
            batch.upper_key = row.text();
            batch.rows_changed = row.count();
            batch.leaf = row.text();
            batch.ledger = row.text();
            return batch;
        },
        run);
    sort_by_path(batches);
    return batches;
}

std::vector<HistoryEntry> LedgerReader::history(const std::string& table,
                                                const std::string& identifier) const {
    // the bounds of the blocks are indexed, and hold for old and new identifiers
    auto entries = rows<HistoryEntry>(
        "SELECT h.run_id, h.version, h.name, h.ticket, h.operator, r.started_at, h.step, h.batch,"
        " h.table_name, h.identifier, h.new_identifier, h.action, h.before, h.after, h.at, h.reverses_run,"
        " h.reversed_by FROM v_row_history AS h JOIN runs AS r ON r.run_id = h.run_id"
        " WHERE h.lowest <= ?1 AND h.highest >= ?1 AND (h.identifier = ?1 OR h.new_identifier = ?1)"
        " ORDER BY h.change_id",
        read_history, identifier);
    if (!table.empty()) {
        std::erase_if(entries, [&](const HistoryEntry& entry) { return !names_table(table, entry.table); });
    }
    return entries;
}

}  // namespace datachange
