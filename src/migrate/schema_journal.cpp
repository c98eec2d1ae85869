#include "migrate/schema_journal.hpp"

#include <fmt/format.h>

#include "core/clock.hpp"

namespace datachange {

namespace {

Value number(std::uint64_t value) {
    return Value::integer(static_cast<std::int64_t>(value));
}

}  // namespace

JournalRun SchemaRow::as_run() const {
    JournalRun run;
    run.version = version;
    run.state = state;
    run.host = host;
    run.process = process;
    run.owned_since = owned_since;
    return run;
}

std::string SchemaRow::owner() const {
    return fmt::format("{}@{} process {}", applied_by, host, process);
}

void SchemaJournal::require_table() {
    if (!m_target.has_table(table())) Fence(m_target).create();
}

std::vector<SchemaRow> SchemaJournal::rows() const {
    return read("");
}

std::optional<SchemaRow> SchemaJournal::row(const std::string& version) const {
    const std::vector<SchemaRow> found = read(version);
    return found.empty() ? std::nullopt : std::optional{found.front()};
}

std::vector<SchemaRow> SchemaJournal::read(const std::string& version) const {
    if (!m_target.has_table(table())) return {};
    const RowSet found = m_target.query(
        fmt::format(
            "SELECT version, name, sha256, state, attempt_uuid, applied_by, host, owned_since, started_at, "
            "finished_at, error, statements_done, process FROM {} WHERE version = $1 OR $1 = '' "
            "ORDER BY version",
            table()),
        {Value::text(version)});
    std::vector<SchemaRow> rows;
    for (std::size_t i = 0; i < found.size(); ++i) {
        SchemaRow row;
        std::string* const texts[] = {&row.version,      &row.name,        &row.sha256, &row.state,
                                      &row.attempt_uuid, &row.applied_by,  &row.host,   &row.owned_since,
                                      &row.started_at,   &row.finished_at, &row.error};
        for (std::size_t column = 0; column < std::size(texts); ++column)
            *texts[column] = found.text(i, column);
        row.statements_done = std::stoull(found.text(i, 11));
        row.process = std::stoll(found.text(i, 12));
        rows.push_back(std::move(row));
    }
    return rows;
}

bool SchemaJournal::take(const SchemaAttempt& attempt, const std::optional<SchemaRow>& former,
                         std::uint64_t statements_done) {
    const std::vector<Value> values{Value::text(attempt.version),     Value::text(attempt.name),
                                    Value::text(attempt.sha256),      number(statements_done),
                                    Value::text(attempt.uuid),        Value::text(attempt.operator_name),
                                    Value::text(attempt.owner.host),  Value::integer(attempt.owner.process),
                                    Value::text(attempt.owner.since), Value::text(attempt.owner.since)};
    if (!former) {
        m_target.query(
            fmt::format("INSERT INTO {} (version, name, sha256, state, statements_done, attempt_uuid, "
                        "applied_by, host, process, owned_since, started_at) "
                        "VALUES ($1, $2, $3, 'processing', $4, $5, $6, $7, $8, $9, $10)",
                        table()),
            values);
        return true;
    }
    std::vector<Value> with_former = values;
    with_former.push_back(Value::text(former->attempt_uuid));
    const RowSet taken = m_target.query(
        fmt::format(
            "UPDATE {} SET version = $1, name = $2, sha256 = $3, state = 'processing', statements_done = $4, "
            "attempt_uuid = $5, applied_by = $6, host = $7, process = $8, owned_since = $9, started_at = "
            "$10, "
            "finished_at = NULL, error = NULL WHERE version = $1 AND attempt_uuid = $11 RETURNING version",
            table()),
        with_former);
    return !taken.empty();
}

void SchemaJournal::require_ours(const RowSet& updated) const {
    if (!updated.empty()) return;
    throw TakenOver(ExitCode::pending, "the schema migration was taken over by somebody else",
                    "Nothing more was changed here; `datachange status` says who goes on with it.");
}

void SchemaJournal::count(const SchemaAttempt& attempt, std::uint64_t statements_done) {
    require_ours(
        m_target.query(fmt::format("UPDATE {} SET statements_done = $1 WHERE version = $2 AND "
                                   "attempt_uuid = $3 RETURNING version",
                                   table()),
                       {number(statements_done), Value::text(attempt.version), Value::text(attempt.uuid)}));
}

void SchemaJournal::end(const SchemaAttempt& attempt, const std::string& state, std::uint64_t statements_done,
                        const std::string& error) {
    require_ours(m_target.query(
        fmt::format(
            "UPDATE {} SET state = $1, statements_done = $2, error = $3, finished_at = $4 WHERE version = $5 "
            "AND attempt_uuid = $6 RETURNING version",
            table()),
        {Value::text(state), number(statements_done), Value::text_or_null(error), Value::text(utc_now()),
         Value::text(attempt.version), Value::text(attempt.uuid)}));
}

}  // namespace datachange
