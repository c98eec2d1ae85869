#include "target/postgres/postgres_target.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "core/text.hpp"
#include "target/postgres/tables.hpp"
#include "target/sql_text.hpp"

namespace datachange::postgres {

namespace {

constexpr int oldest_version = 130000;

/// Statements that begin or end a transaction, or part of one, behind our back. What a procedure or a DO
/// block does to that end the server refuses itself, for the transaction was opened outside of it.
void refuse_transaction_control(const std::string& sql) {
    static constexpr std::array<std::string_view, 10> refused{
        "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE", "DISCARD"};
    const std::string keyword = first_keyword(sql, Engine::postgresql);
    if (std::find(refused.begin(), refused.end(), keyword) == refused.end()) return;
    throw DatabaseError(ExitCode::failed, fmt::format("{} is not allowed in a definition", keyword), "2D000",
                        sql, "Leave it out: datachange opens and ends the transactions.");
}

/// Statements that the server neither looks into nor plans before it executes them: PREPARE does not take
/// them.
bool is_utility(const std::string& keyword) {
    static constexpr std::array<std::string_view, 29> utilities{
        "ALTER",      "ANALYZE",  "CALL", "CLOSE", "CLUSTER", "COMMENT", "COPY",    "CREATE",
        "DEALLOCATE", "DECLARE",  "DO",   "DROP",  "EXECUTE", "EXPLAIN", "FETCH",   "GRANT",
        "IMPORT",     "LISTEN",   "LOCK", "MOVE",  "NOTIFY",  "REFRESH", "REINDEX", "RESET",
        "REVOKE",     "SECURITY", "SET",  "SHOW",  "TRUNCATE"};
    return std::find(utilities.begin(), utilities.end(), keyword) != utilities.end();
}

/// "15.4" of "15.4 (Debian 15.4-1)".
std::string short_version(const std::string& version) {
    return version.substr(0, version.find(' '));
}

}  // namespace

PostgresTarget::PostgresTarget(const std::string& url, const std::string& application_name)
    : m_connection(plan_connection(url, application_name)) {
    const Result found =
        execute("SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_schema()");
    m_server_version = "PostgreSQL " + short_version(found.text(0, 0));
    m_journal_schema = found.text(0, 1);
    if (m_connection.server_version() < oldest_version) {
        throw Error(ExitCode::unreachable, fmt::format("{} at {} is too old", m_server_version, name()),
                    "PostgreSQL 13 or later is needed.");
    }
}

void PostgresTarget::require_writable() {
    const Result found = execute(
        "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'on' "
        "OR pg_catalog.current_setting('default_transaction_read_only') = 'on'");
    if (found.text(0, 0) == "t") {
        throw Error(
            ExitCode::unreachable, fmt::format("{} is a replica and cannot be written", name()),
            "Connect to the primary; libpq finds it among several hosts by target_session_attrs=read-write.");
    }
    if (found.text(0, 1) == "t") {
        throw Error(
            ExitCode::unreachable, fmt::format("{} is read-only for this session", name()),
            "Set default_transaction_read_only to off for this role or database, or use another role.");
    }
}

// --- transactions
// ---------------------------------------------------------------------------------------------------

void PostgresTarget::begin(Isolation isolation) {
    if (m_state != State::none) throw std::logic_error("a transaction is open already");
    const bool writes = isolation != Isolation::read_only;
    std::string script = isolation == Isolation::read_committed ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                         : isolation == Isolation::repeatable_read
                             ? "BEGIN ISOLATION LEVEL REPEATABLE READ"
                             : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    // TimeZone, search_path and IntervalStyle stay: they are part of what the user's statements mean
    script +=
        "; SET LOCAL DateStyle = ISO; SET LOCAL row_security = off;"
        " SELECT pg_catalog.set_config('synchronous_commit', 'on', true)"
        " WHERE pg_catalog.current_setting('synchronous_commit') = 'off';"
        " SELECT pg_catalog.set_config('extra_float_digits', '1', true)"
        " WHERE pg_catalog.current_setting('extra_float_digits')::pg_catalog.int4 < 1";
    if (writes) script += std::string{"; "} + Witness::baseline_query();

    m_state = State::open;  // a script that failed half-way has left one open as well
    try {
        const Result baseline = m_connection.execute_script(script);
        if (writes) m_witness.start(baseline);
    } catch (...) {
        rollback();
        throw;
    }
}

CommitResult PostgresTarget::commit() {
    if (m_state == State::failed) {
        // COMMIT of a failed transaction is answered by ROLLBACK, and by no error
        rollback();
        return {Outcome::rolled_back, m_failure.sqlstate, m_failure.message};
    }
    m_state = State::none;
    m_witness.stop();
    try {
        m_connection.execute_script("COMMIT");
        return {};
    } catch (const DatabaseError& error) {
        const std::string& sqlstate = error.sqlstate();
        const bool certain =
            sqlstate.starts_with("23") || (sqlstate.starts_with("40") && sqlstate != "40003");
        return {certain ? Outcome::rolled_back : Outcome::in_doubt, sqlstate, error.what()};
    } catch (const std::exception& error) {
        return {Outcome::in_doubt, "", error.what()};
    }
}

void PostgresTarget::rollback() noexcept {
    const bool open = m_state != State::none;
    m_state = State::none;
    m_witness.stop();
    if (!open || m_connection.lost()) return;
    try {
        m_connection.execute_script("ROLLBACK");
    } catch (const std::exception&) {
        // a connection that is gone has rolled back
    }
}

std::string PostgresTarget::transaction_id() {
    return execute("SELECT pg_catalog.txid_current()").text(0, 0);
}

void PostgresTarget::settle() {
    execute("SET CONSTRAINTS ALL IMMEDIATE");
}

/// Runs a call and remembers if it made the transaction fail.
template <typename Call>
auto PostgresTarget::in_transaction(Call&& call) {
    try {
        return call();
    } catch (const DatabaseError& error) {
        if (m_state == State::open) {
            m_state = State::failed;
            m_failure = {Outcome::rolled_back, error.sqlstate(), error.what()};
        }
        throw;
    }
}

Result PostgresTarget::execute(const std::string& sql,
                               const std::vector<std::optional<std::string>>& parameters) {
    return in_transaction([&] { return m_connection.execute(sql, parameters); });
}

// --- statements
// -----------------------------------------------------------------------------------------------------

RowSet PostgresTarget::query(const SqlTemplate& sql, const Scope& scope) {
    const BoundStatement statement = bind(sql, scope);
    refuse_transaction_control(statement.sql);
    return in_transaction(
        [&] { return m_catalog.rows(m_connection.execute(statement.sql, statement.parameters)); });
}

RowSet PostgresTarget::query(const std::string& sql, const std::vector<Value>& parameters) {
    std::vector<std::optional<std::string>> texts;
    texts.reserve(parameters.size());
    for (const Value& parameter : parameters) texts.push_back(parameter_text(parameter, sql));
    return in_transaction([&] { return m_catalog.rows(m_connection.execute(sql, texts)); });
}

void PostgresTarget::stream(const SqlTemplate& sql, std::size_t rows,
                            const std::function<void(RowSet&&)>& piece) {
    if (m_state == State::none) throw std::logic_error("a transaction must be open to stream in");
    const std::string cursor = fmt::format("datachange_{}", ++m_cursors);
    const BoundStatement statement =
        bind(wrap(fmt::format("DECLARE {} NO SCROLL CURSOR FOR", cursor), sql, ""), Scope{});
    execute(statement.sql, statement.parameters);
    for (bool first = true;; first = false) {
        RowSet fetched = in_transaction([&] {
            return m_catalog.rows(m_connection.execute(fmt::format("FETCH {} FROM {}", rows, cursor)));
        });
        const std::size_t got = fetched.size();
        if (got > 0 || first) piece(std::move(fetched));
        if (got < rows) break;
    }
    execute(fmt::format("CLOSE {}", cursor));
}

std::vector<Column> PostgresTarget::describe(const SqlTemplate& sql, const Scope& scope) {
    const BoundStatement statement =
        bind(wrap("SELECT * FROM (", sql, ") AS datachange_described LIMIT 0"), scope);
    return in_transaction(
        [&] { return m_catalog.columns(m_connection.execute(statement.sql, statement.parameters)); });
}

std::optional<std::vector<Column>> PostgresTarget::prepare(const SqlTemplate& sql, const Scope& scope) {
    const std::string keyword = first_keyword(sql.text(), Engine::postgresql);
    refuse_transaction_control(sql.text());
    if (is_utility(keyword)) return std::nullopt;

    const BoundStatement statement = bind(wrap("PREPARE datachange_prepared AS", sql, ""), scope);
    const bool alone = m_state == State::none;
    // behind a pooler only a transaction keeps the two on one server
    if (alone) begin(Isolation::read_only);
    try {
        execute(statement.sql);
        execute("DEALLOCATE datachange_prepared");
    } catch (...) {
        if (alone) rollback();
        throw;
    }
    if (alone) rollback();
    return std::nullopt;
}

// --- catalog and evidence
// -------------------------------------------------------------------------------------------

TableInfo PostgresTarget::table(const std::string& name) {
    return in_transaction([&] { return read_table(m_connection, name); });
}

bool PostgresTarget::has_table(const std::string& name) {
    return in_transaction([&] { return find_table(m_connection, name).has_value(); });
}

TouchedTables PostgresTarget::touched() {
    return in_transaction([&] { return m_witness.read(m_connection, m_journal_schema); });
}

std::string PostgresTarget::journal_obstacle() {
    const Result found =
        execute("SELECT p.pubname FROM pg_catalog.pg_publication p WHERE p.puballtables LIMIT 1");
    if (found.size() == 0 || has_table(journal_prefix() + "datachange_runs")) return "";
    return fmt::format(
        "the publication {} is FOR ALL TABLES: a subscriber without the journal's tables would stop at their "
        "first row",
        quote_name(found.text(0, 0)));
}

void PostgresTarget::set_journal_schema(const std::string& schema) {
    m_journal_schema = schema.empty() ? execute("SELECT pg_catalog.current_schema()").text(0, 0) : schema;
    if (m_journal_schema.empty()) {
        throw Error(ExitCode::usage, "there is no current schema for the journal",
                    "Name one by --journal-schema, or set the role's search_path.");
    }
}

std::string PostgresTarget::journal_prefix() const {
    return m_journal_schema.empty() ? "" : quote_name(m_journal_schema) + ".";
}

}  // namespace datachange::postgres

namespace datachange {

std::unique_ptr<Target> connect_postgres(const std::string& url, const std::string& application_name) {
    return std::make_unique<postgres::PostgresTarget>(url, application_name);
}

}  // namespace datachange
