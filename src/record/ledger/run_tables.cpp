#include "record/ledger/run_tables.hpp"

#include "core/clock.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"

namespace datachange {

std::int64_t insert_run(Ledger& ledger, const RunHeader& header) {
    ledger.execute(
        "INSERT INTO runs(uuid, version, name, definition, definition_sha256, engine, target, operator, host,"
        " ticket, mode, state, started_at, dry_run, author, tool_version, server_version, definition_path)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, ?, ?, ?, ?)",
        header.uuid, header.version, header.name, header.definition, header.definition_sha256,
        engine_name(header.engine), header.target, header.operator_name, header.host, nullable(header.ticket),
        header.mode, header.started_at, header.dry_run, nullable(header.author), header.tool_version,
        header.server_version, header.definition_path);
    return ledger.last_id();
}

void insert_step(Ledger& ledger, std::int64_t run_id, const StepHeader& header) {
    ledger.execute(
        "INSERT INTO steps(run_id, step, name, table_name, identifier, watch_of, evidence, "
        "identifier_columns)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        run_id, header.number, nullable(header.name), nullable(header.table), join(header.identifier, ", "),
        header.watch_of == 0 ? std::nullopt : std::optional{header.watch_of}, header.evidence,
        json_array_of_strings(header.identifier));
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
                "deleted)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                run_id, step, batch, table.table, table.inserted, table.updated, table.deleted);
        }
    });
}

void insert_files(Ledger& ledger, std::int64_t run_id, const std::vector<RecordedFile>& files) {
    for (const RecordedFile& file : files) {
        ledger.execute(
            "INSERT OR REPLACE INTO files(run_id, step, name, path, bytes, sha256) VALUES (?, ?, ?, ?, ?, ?)",
            run_id, file.step, file.name, file.path, file.bytes, file.sha256);
    }
}

}  // namespace datachange
