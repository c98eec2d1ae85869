#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

#include "target/postgres/postgres_target.hpp"

namespace datachange::postgres {

namespace {

constexpr int oldest_version = 130000;

/// "15.4" of "15.4 (Debian 15.4-1)".
std::string short_version(const std::string& version) {
    return version.substr(0, version.find(' '));
}

}  // namespace

PostgresTarget::PostgresTarget(const std::string& url, const std::string& application_name)
    : m_connection(plan_connection(url, application_name)) {
    start_session();
    m_journal_schema = execute("SELECT pg_catalog.current_schema()").text(0, 0);
}

// --- the session
// ----------------------------------------------------------------------------------------------------

void PostgresTarget::start_session() {
    // as scripts, which no cancel breaks off
    const Result version =
        m_connection.execute_script("SELECT pg_catalog.current_setting('server_version')").back();
    m_server_version = "PostgreSQL " + short_version(version.text(0, 0));
    if (m_connection.server_version() < oldest_version) {
        throw Error(ExitCode::unreachable, fmt::format("{} at {} is too old", m_server_version, name()),
                    "PostgreSQL 13 or later is needed.");
    }
    ask_for_keepalives(m_connection);
}

void PostgresTarget::reconnect() {
    end_transaction();
    m_statements.forget();
    m_catalog.forget();
    m_replication_lag = {};
    m_connection.reconnect(m_must_write);
    try {
        start_session();
        if (m_must_write) require_writable();
    } catch (Error& error) {
        m_connection.close();
        error.set_code(ExitCode::unreachable);
        throw;
    }
}

std::vector<std::string> PostgresTarget::other_sessions(const std::string& application_name) {
    return in_transaction([&] { return postgres::other_sessions(m_connection, application_name); });
}

std::optional<double> PostgresTarget::replication_lag() {
    return in_transaction([&] { return m_replication_lag.read(m_connection); });
}

void PostgresTarget::require_writable() {
    const Result found = m_connection
                             .execute_script(
                                 "SELECT pg_catalog.pg_is_in_recovery(), "
                                 "pg_catalog.current_setting('transaction_read_only') = 'on' "
                                 "OR pg_catalog.current_setting('default_transaction_read_only') = 'on'")
                             .back();
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
    m_must_write = true;
}

// --- transactions
// ---------------------------------------------------------------------------------------------------

namespace {

/// Milliseconds as the server takes them: it has 31 bits for them.
std::int64_t setting(std::chrono::milliseconds time) {
    return std::min<std::int64_t>(time.count(), std::numeric_limits<std::int32_t>::max());
}

/// Opens a transaction and tells of it: the server's process, whether it counts, and the transaction's number
/// where it writes. TimeZone, search_path and IntervalStyle stay: they are part of what the user's statements
/// mean.
std::string opening(Isolation isolation) {
    const bool writes = isolation != Isolation::read_only;
    return fmt::format(
        "BEGIN ISOLATION LEVEL {}; SET LOCAL DateStyle = ISO; SET LOCAL row_security = off; "
        "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('track_counts') = 'on', {}, "
        "CASE WHEN pg_catalog.current_setting('synchronous_commit') = 'off' "
        "THEN pg_catalog.set_config('synchronous_commit', 'on', true) END, "
        "CASE WHEN pg_catalog.current_setting('extra_float_digits')::pg_catalog.int4 < 1 "
        "THEN pg_catalog.set_config('extra_float_digits', '1', true) END{}",
        isolation == Isolation::read_committed    ? "READ COMMITTED"
        : isolation == Isolation::repeatable_read ? "REPEATABLE READ"
                                                  : "REPEATABLE READ READ ONLY",
        writes ? "pg_catalog.txid_current()" : "NULL",
        // a client that was stopped must not hold the journal's row, and what waits for it, for ever
        writes ? ", CASE WHEN pg_catalog.current_setting('idle_in_transaction_session_timeout')"
                 "::pg_catalog.interval NOT BETWEEN '1 millisecond' AND '5 minutes' "
                 "THEN pg_catalog.set_config('idle_in_transaction_session_timeout', '5min', true) END"
               : "");
}

/// The place of that SELECT among the results of the script.
constexpr std::size_t told_at = 3;

std::string time_limits(const Timeouts& timeouts) {
    std::string script;
    if (timeouts.lock.count() > 0)
        script += fmt::format("; SET LOCAL lock_timeout = {}", setting(timeouts.lock));
    if (timeouts.statement.count() > 0) {
        script += fmt::format("; SET LOCAL statement_timeout = {}", setting(timeouts.statement));
    }
    return script;
}

}  // namespace

void PostgresTarget::begin(Isolation isolation) {
    if (m_state != State::none) throw std::logic_error("a transaction is open already");
    try {
        open_transaction(isolation);
    } catch (const DatabaseError& error) {
        rollback();
        // no such prepared statement: a pooler that hides itself
        if (error.sqlstate() != "26000" || !m_statements.distrust()) throw;
        begin(isolation);
    } catch (...) {
        rollback();
        throw;
    }
}

void PostgresTarget::open_transaction(Isolation isolation) {
    const bool writes = isolation != Isolation::read_only;
    std::string script = opening(isolation);
    if (writes) script += time_limits(m_timeouts) + "; " + m_statements.in_script(Witness::baseline_query());

    m_state = State::open;  // a script that failed half-way has left one open as well
    m_touched = false;
    const std::vector<Result> results = m_connection.execute_script(script);
    const Result& told = results.at(told_at);
    m_statements.begin(std::stoi(told.text(0, 0)));
    if (!writes) return;
    m_witness.start(results.back(), told.text(0, 1) == "t");
    m_statements.note(Witness::baseline_query());
    m_transaction_id = told.text(0, 2);
}

void PostgresTarget::end_transaction() {
    m_state = State::none;
    m_transaction_id.reset();
    m_statements.end();
    m_witness.stop();
}

CommitResult PostgresTarget::commit() {
    // the server would take it for done, with a warning
    if (m_state == State::none) return {Outcome::rolled_back, "25P01", "no transaction is open"};
    if (m_state == State::failed) {
        // COMMIT of a failed transaction is answered by ROLLBACK, and by no error
        rollback();
        return {Outcome::rolled_back, m_failure.sqlstate, m_failure.message};
    }
    end_transaction();
    try {
        // a COMMIT that waits for a replica and is broken off would be told as done
        const bool limited = m_timeouts.statement.count() > 0;
        m_connection.execute_script(limited ? "SET LOCAL statement_timeout = 0; COMMIT" : "COMMIT");
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
    end_transaction();
    if (!open || m_connection.lost()) return;
    try {
        m_connection.execute_script("ROLLBACK");
    } catch (const std::exception&) {
        // a connection that is gone has rolled back
    }
}

std::string PostgresTarget::transaction_id() {
    if (m_transaction_id) return *m_transaction_id;
    return execute("SELECT pg_catalog.txid_current()").text(0, 0);
}

void PostgresTarget::settle() {
    execute("SET CONSTRAINTS ALL IMMEDIATE");
}

}  // namespace datachange::postgres
