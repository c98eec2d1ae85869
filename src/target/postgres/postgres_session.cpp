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
    const Result version = m_connection.execute_script("SELECT pg_catalog.current_setting('server_version')");
    m_server_version = "PostgreSQL " + short_version(version.text(0, 0));
    if (m_connection.server_version() < oldest_version) {
        throw Error(ExitCode::unreachable, fmt::format("{} at {} is too old", m_server_version, name()),
                    "PostgreSQL 13 or later is needed.");
    }
    ask_for_keepalives(m_connection);
}

void PostgresTarget::reconnect() {
    m_state = State::none;
    m_witness.stop();
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
    const Result found = m_connection.execute_script(
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
    m_must_write = true;
}

// --- transactions
// ---------------------------------------------------------------------------------------------------

namespace {

/// Milliseconds as the server takes them: it has 31 bits for them.
std::int64_t setting(std::chrono::milliseconds time) {
    return std::min<std::int64_t>(time.count(), std::numeric_limits<std::int32_t>::max());
}

/// For a transaction that writes.
std::string time_limits(const Timeouts& timeouts) {
    // a client that was stopped must not hold the journal's row, and what waits for it, for ever
    std::string script =
        "; SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', '5min', true)"
        " WHERE pg_catalog.current_setting('idle_in_transaction_session_timeout')::pg_catalog.interval"
        " NOT BETWEEN '1 millisecond' AND '5 minutes'";
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
    if (writes) script += time_limits(m_timeouts) + "; " + Witness::baseline_query();

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
    // the server would take it for done, with a warning
    if (m_state == State::none) return {Outcome::rolled_back, "25P01", "no transaction is open"};
    if (m_state == State::failed) {
        // COMMIT of a failed transaction is answered by ROLLBACK, and by no error
        rollback();
        return {Outcome::rolled_back, m_failure.sqlstate, m_failure.message};
    }
    m_state = State::none;
    m_witness.stop();
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

}  // namespace datachange::postgres
