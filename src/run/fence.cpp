#include "run/fence.hpp"

#include <fmt/format.h>

#include "core/value_json.hpp"

namespace datachange {

namespace {

std::string key_json(const std::optional<Key>& key) {
    return key ? json_array(*key) : std::string{};
}

std::vector<std::string> statements(Engine engine, const std::string& prefix) {
    const bool postgres = engine == Engine::postgresql;
    const char* moment = postgres ? "timestamptz" : "TEXT";
    return {
        fmt::format("CREATE TABLE IF NOT EXISTS {}datachange_runs (\n"
                    "  run_uuid text PRIMARY KEY,\n"
                    "  version text NOT NULL,\n"
                    "  name text NOT NULL,\n"
                    "  definition_sha256 text NOT NULL,\n"
                    "  state text NOT NULL,\n"
                    "  epoch bigint NOT NULL,\n"
                    "  owner text NOT NULL,\n"
                    "  operator text,\n"
                    "  ticket text,\n"
                    "  rows_changed bigint NOT NULL DEFAULT 0,\n"
                    "  started_at {} NOT NULL,\n"
                    "  finished_at {}\n)",
                    prefix, moment, moment),
        fmt::format("CREATE TABLE IF NOT EXISTS {0}datachange_batches (\n"
                    "  run_uuid text NOT NULL REFERENCES {1}datachange_runs,\n"
                    "  step integer NOT NULL,\n"
                    "  batch text NOT NULL,\n"
                    "  lower_key text,\n"
                    "  upper_key text,\n"
                    "  rows_changed bigint NOT NULL,\n"
                    "  leaf text NOT NULL,\n"
                    "  PRIMARY KEY (run_uuid, step, batch)\n)",
                    prefix, postgres ? prefix : ""),  // SQLite names the parent without its schema
        // one active run a version: this index decides between two that start at once
        fmt::format("CREATE UNIQUE INDEX IF NOT EXISTS {} ON {}datachange_runs (version)\n"
                    "  WHERE state IN ('processing', 'paused')",
                    postgres ? "datachange_runs_active" : prefix + "datachange_runs_active",
                    postgres ? prefix : ""),
    };
}

bool duplicate_key(const DatabaseError& error) {
    return error.sqlstate() == "23505" || error.sqlstate().starts_with("SQLITE_CONSTRAINT");
}

}  // namespace

bool Fence::exists() const {
    return m_target.has_table(table("datachange_runs"));
}

std::string Fence::ddl(Engine engine, const std::string& prefix) {
    std::string text;
    for (const std::string& statement : statements(engine, prefix)) text += statement + ";\n";
    return text;
}

void Fence::create() {
    const std::string obstacle = m_target.journal_obstacle();
    if (!obstacle.empty()) {
        throw Error(
            ExitCode::failed, "the journal must not be created by itself here: " + obstacle,
            "Create its tables on the subscribers first, then here: `datachange init --print-sql` prints the "
            "statements. Nothing was changed.");
    }
    m_target.begin(Isolation::repeatable_read);
    try {
        for (const std::string& statement : statements(m_target.engine(), m_target.journal_prefix())) {
            m_target.query(statement);
        }
    } catch (const DatabaseError& error) {
        m_target.rollback();
        throw Error(
            error.code(), fmt::format("the journal cannot be created: {}", error.what()),
            "Have a DBA run what `datachange init --print-sql` prints, or name a schema that this role may "
            "write with --journal-schema. Nothing was changed.");
    }
    const CommitResult commit = m_target.commit();
    if (commit.outcome == Outcome::committed || exists()) return;
    throw Error(ExitCode::failed, "the journal cannot be created: " + commit.message,
                "Nothing was changed. Try again.");
}

std::vector<JournalRun> Fence::runs(const std::string& version) const {
    if (!exists()) return {};
    const std::string sql = fmt::format(
        "SELECT r.run_uuid, r.version, r.name, r.definition_sha256, r.state, r.owner, r.operator, r.ticket, "
        "r.started_at, "
        "r.finished_at, r.rows_changed, (SELECT count(*) FROM {} b WHERE b.run_uuid = r.run_uuid) "
        "FROM {} r WHERE r.version = $1 OR $1 = '' ORDER BY r.started_at, r.run_uuid",
        table("datachange_batches"), table("datachange_runs"));
    const RowSet rows = m_target.query(sql, {Value::text(version)});
    std::vector<JournalRun> runs;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        runs.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4),
                        rows.text(i, 5), rows.text(i, 6), rows.text(i, 7), rows.text(i, 8), rows.text(i, 9),
                        std::stoull(rows.text(i, 10)), std::stoull(rows.text(i, 11))});
    }
    return runs;
}

void Fence::refuse_held(const std::string& version) const {
    for (const JournalRun& run : runs(version)) {
        if (!run.active()) continue;
        throw Error(ExitCode::pending,
                    fmt::format("version {} is being run by {} since {} (run {}, {})", version, run.owner,
                                run.started_at, run.uuid.substr(0, 8), run.state),
                    "Two runs of one version at once would change rows twice: wait for the other. Nothing "
                    "was changed.");
    }
    throw Error(ExitCode::pending, fmt::format("version {} was being run by somebody else just now", version),
                "Look at `datachange status`, then try again. Nothing was changed.");
}

void Fence::take(const FenceHeader& header) {
    try {
        m_target.query(
            fmt::format("INSERT INTO {} (run_uuid, version, name, definition_sha256, state, epoch, owner, "
                        "operator, ticket, started_at) "
                        "VALUES ($1, $2, $3, $4, 'processing', 1, $5, $6, $7, $8)",
                        table("datachange_runs")),
            {Value::text(header.uuid), Value::text(header.version), Value::text(header.name),
             Value::text(header.definition_sha256), Value::text(header.owner),
             Value::text(header.operator_name), Value::text_or_null(header.ticket),
             Value::text(header.started_at)});
    } catch (const DatabaseError& error) {
        if (duplicate_key(error)) refuse_held(header.version);
        throw;
    }
    m_uuid = header.uuid;
}

void Fence::check() {
    const char* lock =
        m_target.engine() == Engine::postgresql ? " FOR SHARE" : "";  // SQLite: BEGIN IMMEDIATE
    const RowSet row = m_target.query(
        fmt::format("SELECT epoch, state FROM {} WHERE run_uuid = $1{}", table("datachange_runs"), lock),
        {Value::text(m_uuid)});
    const bool ours = row.size() == 1 && row.text(0, 0) == std::to_string(m_epoch);
    if (ours && row.text(0, 1) == "processing") return;
    throw Error(
        ExitCode::pending,
        ours ? fmt::format("the run is {}", row.text(0, 1)) : "the run was taken over by somebody else",
        "The batch in hand was not begun; look at `datachange status`.");
}

void Fence::record(const FenceBatch& batch) {
    m_target.query(
        fmt::format("INSERT INTO {} (run_uuid, step, batch, lower_key, upper_key, rows_changed, leaf) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    table("datachange_batches")),
        {Value::text(m_uuid), Value::integer(batch.step), Value::text(batch.batch),
         Value::text_or_null(key_json(batch.range.after)), Value::text_or_null(key_json(batch.range.upto)),
         Value::integer(static_cast<std::int64_t>(batch.rows)), Value::text(batch.leaf)});
}

void Fence::finish(const std::string& state, std::uint64_t rows_changed, const std::string& at) {
    m_target.query(fmt::format("UPDATE {} SET state = $1, rows_changed = $2, finished_at = $3 "
                               "WHERE run_uuid = $4 AND epoch = $5",
                               table("datachange_runs")),
                   {Value::text(state), Value::integer(static_cast<std::int64_t>(rows_changed)),
                    Value::text(at), Value::text(m_uuid), Value::integer(m_epoch)});
}

void Fence::withdraw() {
    m_target.query(fmt::format("DELETE FROM {} WHERE run_uuid = $1", table("datachange_runs")),
                   {Value::text(m_uuid)});
}

}  // namespace datachange
