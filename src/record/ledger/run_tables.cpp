#include "record/ledger/run_tables.hpp"

#include "core/clock.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"

namespace datachange {

namespace {

std::optional<std::int64_t> process_of(const RunHeader& header) {
    return header.process == 0 ? std::nullopt : std::optional{header.process};
}

}  // namespace

std::int64_t insert_run(Ledger& ledger, const RunHeader& header) {
    ledger.execute(
        "INSERT INTO runs(uuid, version, name, definition, definition_sha256, engine, target, operator, host,"
        " ticket, mode, state, started_at, dry_run, author, tool_version, server_version, definition_path, "
        "epoch,"
        " process, process_host, owned_since, reverses, git_commit, redaction_key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        header.uuid, header.version, header.name, header.definition, header.definition_sha256,
        engine_name(header.engine), header.target, header.operator_name, header.host, nullable(header.ticket),
        header.mode, header.started_at, header.dry_run, nullable(header.author), header.tool_version,
        header.server_version, header.definition_path, header.epoch, process_of(header), header.host,
        utc_now(), nullable(header.reverses), nullable(header.git_commit), nullable(header.redaction_key));
    return ledger.last_id();
}

void set_owner(Ledger& ledger, std::int64_t run_id, const RunHeader& header) {
    ledger.execute(
        "UPDATE runs SET state = 'processing', error = NULL, finished_at = NULL, epoch = ?, process = ?,"
        " process_host = ?, owned_since = ? WHERE run_id = ?",
        header.epoch, process_of(header), header.host, utc_now(), run_id);
}

void set_state(Ledger& ledger, std::int64_t run_id, const std::string& state) {
    ledger.execute("UPDATE runs SET state = ? WHERE run_id = ?", state, run_id);
}

void insert_step(Ledger& ledger, std::int64_t run_id, const StepHeader& header) {
    ledger.execute(
        "INSERT INTO steps(run_id, step, name, table_name, identifier, watch_of, evidence, "
        "identifier_columns, redacted)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        run_id, header.number, nullable(header.name), nullable(header.table), join(header.identifier, ", "),
        header.watch_of == 0 ? std::nullopt : std::optional{header.watch_of}, header.evidence,
        json_array_of_strings(header.identifier),
        header.redacted.empty() ? std::nullopt : std::optional{json_array_of_strings(header.redacted)});
}

void end_run(Ledger& ledger, std::int64_t run_id, const Journal::Finish& finish) {
    const RowCounts& rows = finish.rows;
    ledger.execute(
        "UPDATE runs SET state = ?, error = ?, finished_at = ?, rows_changed = iif(dry_run, 0, ?), rows_pre "
        "= ?,"
        " rows_returned = ?, rows_post = ?, updated = ?, inserted = ?, deleted = ?, unchanged = ?, missing = "
        "?,"
        " unexpected = ? WHERE run_id = ?",
        finish.state, nullable(finish.error), utc_now(), rows.changed(), rows.pre, rows.change, rows.post,
        rows.updated, rows.inserted, rows.deleted, rows.unchanged, rows.missing, rows.unexpected, run_id);
}

void set_csv_directory(Ledger& ledger, std::int64_t run_id, const std::string& directory) {
    ledger.execute("UPDATE runs SET csv_directory = ? WHERE run_id = ?", nullable(directory), run_id);
}

void insert_approvals(Ledger& ledger, std::int64_t run_id, const std::vector<UsedApproval>& approvals) {
    for (const UsedApproval& approval : approvals) {
        ledger.execute(
            "INSERT INTO approvals(run_id, version, signer, detail, at, nonce, signature, allowed_signer)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            run_id, approval.version, approval.signer, approval.text, utc_now(), approval.nonce,
            approval.signature, approval.allowed_signer);
    }
}

void insert_event(Ledger& ledger, std::int64_t run_id, const std::string& kind, const std::string& detail) {
    ledger.execute("INSERT INTO events(run_id, at, kind, detail) VALUES (?, ?, ?, ?)", run_id, utc_now(),
                   kind, detail);
}

void insert_summary(Ledger& ledger, std::int64_t run_id, int step, const std::string& moment,
                    const RowSet& result) {
    ledger.execute("INSERT OR REPLACE INTO summaries(run_id, moment, result, step) VALUES (?, ?, ?, ?)",
                   run_id, moment, json_objects(result), step);
}

void insert_collateral(Ledger& ledger, std::int64_t run_id, int step, const std::string& batch,
                       const std::vector<Collateral>& tables) {
    ledger.transact([&] {
        for (const Collateral& table : tables) {
            ledger.execute(
                "INSERT OR REPLACE INTO collateral(run_id, step, batch, table_name, inserted, updated, "
                "deleted,"
                " truncated) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                run_id, step, batch, table.table, table.inserted, table.updated, table.deleted,
                table.truncated);
        }
    });
}

void insert_conflicts(Ledger& ledger, std::int64_t run_id, const std::string& batch,
                      const std::vector<RowConflict>& conflicts) {
    ledger.transact([&] {
        for (const RowConflict& conflict : conflicts) {
            ledger.execute(
                "INSERT INTO conflicts(run_id, step, batch, identifier, column_name, before, after, live)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                run_id, conflict.step, nullable(batch), conflict.identifier, conflict.column,
                nullable(conflict.before), nullable(conflict.after), nullable(conflict.live));
        }
    });
}

void forget_conflicts(Ledger& ledger, std::int64_t run_id) {
    ledger.execute("DELETE FROM conflicts WHERE run_id = ? AND batch IS NULL", run_id);
}

void insert_failure(Ledger& ledger, std::int64_t run_id, const RowFailure& failure) {
    ledger.execute(
        "INSERT INTO failures(run_id, step, batch, identifier, sqlstate, message, at) VALUES (?, ?, ?, ?, ?, "
        "?, ?)"
        " ON CONFLICT(run_id, step, identifier) WHERE identifier IS NOT NULL DO UPDATE SET batch = "
        "excluded.batch,"
        " sqlstate = excluded.sqlstate, message = excluded.message, at = excluded.at, resolved_at = NULL",
        run_id, failure.step, failure.batch, nullable(failure.identifier), nullable(failure.sqlstate),
        failure.message, utc_now());
}

void resolve_failure(Ledger& ledger, std::int64_t run_id, int step, const std::string& identifier) {
    ledger.execute(
        "UPDATE failures SET resolved_at = ? WHERE run_id = ? AND step = ? AND identifier = ? AND "
        "resolved_at IS NULL",
        utc_now(), run_id, step, identifier);
}

std::vector<RowFailure> open_failures(Ledger& ledger, std::int64_t run_id) {
    SQLite::Statement& query = ledger.bound(
        "SELECT step, batch, identifier, sqlstate, message FROM failures WHERE run_id = ? AND resolved_at IS "
        "NULL"
        " ORDER BY at, rowid",
        run_id);
    std::vector<RowFailure> failures;
    while (query.executeStep()) {
        failures.push_back({query.getColumn(0).getInt(), query.getColumn(1).getString(),
                            query.getColumn(2).getString(), query.getColumn(3).getString(),
                            query.getColumn(4).getString()});
    }
    query.reset();
    return failures;
}

std::string hash_identifiers(Ledger& ledger, std::int64_t run_id, int step) {
    SQLite::Statement& query = ledger.bound(
        "SELECT i.value FROM batch AS b JOIN block AS k ON k.batch_id = b.id"
        " AND k.id BETWEEN b.first_change AND b.last_change JOIN json_each(k.identifiers) AS i"
        " WHERE b.run_id = ? AND b.step = ? AND b.state = 'committed' ORDER BY i.value",
        run_id, step);
    Sha256 hash;
    while (query.executeStep()) {
        hash.update(query.getColumn(0).getString());
        hash.update("\n");
    }
    query.reset();
    return hash.finish();
}

void replace_files(Ledger& ledger, std::int64_t run_id, const std::vector<RecordedFile>& files) {
    ledger.execute("DELETE FROM files WHERE run_id = ?", run_id);
    for (const RecordedFile& file : files) {
        ledger.execute("INSERT INTO files(run_id, step, name, path, bytes, sha256) VALUES (?, ?, ?, ?, ?, ?)",
                       run_id, file.step, file.name, file.path, file.bytes, file.sha256);
    }
}

}  // namespace datachange
