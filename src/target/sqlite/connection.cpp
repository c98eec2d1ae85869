#include "target/sqlite/connection.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/timings.hpp"
#include "target/sql_text.hpp"
#include "target/sqlite/errors.hpp"

namespace datachange::sqlite {

namespace {

constexpr int busy_timeout_ms = 5000;
constexpr int operations_between_looks = 1000;  // of SQLite's machine, some ten microseconds

/// Only looked at from outside: another descriptor on the file would drop this process's locks on it when
/// closed.
void require_file(const std::filesystem::path& file) {
    std::error_code failure;
    const std::filesystem::file_status status = std::filesystem::status(file, failure);
    if (!std::filesystem::exists(status)) {
        throw Error(ExitCode::unreachable, fmt::format("there is no file {}", file.string()),
                    "Check the path: datachange never creates a database.");
    }
    if (!std::filesystem::is_regular_file(status)) {
        throw Error(ExitCode::unreachable, fmt::format("{} is not a file", file.string()),
                    "Give the path of a SQLite database file.");
    }
    if (std::filesystem::file_size(file, failure) == 0) {
        throw Error(ExitCode::unreachable, fmt::format("{} is empty and not a database", file.string()),
                    "Check the path, or create the tables first.");
    }
}

SQLite::Database open_file(const std::filesystem::path& file) {
    require_file(file);
    try {
        // one thread at a time uses it, so that SQLite need not lock for every cell
        return SQLite::Database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                                busy_timeout_ms);
    } catch (const SQLite::Exception& failure) {
        throw Error(ExitCode::unreachable, fmt::format("cannot open {}: {}", file.string(), failure.what()),
                    "Check the permissions of the file and of its folder.");
    }
}

}  // namespace

Connection::Connection(const std::filesystem::path& file) : m_file(file), m_database(open_file(file)) {
    install_hooks();
    check_readable();
    // pages of a batch are read by pre and written by change: SQLite's own 2 MiB do not hold them
    query("PRAGMA cache_size = -8192");
}

void Connection::install_hooks() {
    m_witness.attach(handle());
    sqlite3_extended_result_codes(handle(), 1);
    sqlite3_set_authorizer(handle(), &Connection::on_authorize, this);
    sqlite3_commit_hook(handle(), &Connection::on_commit, this);
    sqlite3_rollback_hook(handle(), &Connection::on_rollback, this);
}

void Connection::reopen() {
    if (!autocommit()) execute("ROLLBACK");
    lift_limits();
    SQLite::Database opened = open_file(m_file);
    m_canceller.ask_by({});
    m_own.clear();
    m_definition.clear();
    m_witness.stop();
    m_database = std::move(opened);
    install_hooks();
    m_broken = true;  // until it was read
    ++m_generation;
    ++m_rollbacks;  // temporary tables are gone as well
}

bool Connection::moved() const {
    int moved = 0;
    sqlite3_file_control(handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

void Connection::set_limits(std::chrono::milliseconds lock, std::chrono::milliseconds statement) {
    const std::int64_t longest = std::numeric_limits<int>::max();
    m_own_wait = std::stoi(query("PRAGMA busy_timeout").text(0, 0));
    if (lock.count() > 0) {
        sqlite3_busy_timeout(handle(), static_cast<int>(std::min<std::int64_t>(lock.count(), longest)));
    }
    m_statement_limit = statement;
    if (statement.count() > 0) {
        sqlite3_progress_handler(handle(), operations_between_looks, &Connection::on_progress, this);
    }
}

void Connection::lift_limits() noexcept {
    if (m_own_wait) sqlite3_busy_timeout(handle(), *m_own_wait);
    m_own_wait.reset();
    m_statement_limit = std::chrono::milliseconds{0};
    sqlite3_progress_handler(handle(), 0, nullptr, nullptr);
}

int Connection::on_progress(void* connection) {
    const Connection* const self = static_cast<const Connection*>(connection);
    return std::chrono::steady_clock::now() > self->m_deadline ? 1 : 0;
}

void Connection::check_readable() {
    try {
        query("SELECT count(*) FROM sqlite_schema");
        m_broken = false;
        m_canceller.ask_by([database = handle()] { sqlite3_interrupt(database); });
    } catch (const DatabaseError& error) {
        const bool other = error.sqlstate() == "SQLITE_NOTADB";
        throw Error(ExitCode::unreachable, fmt::format("cannot read {}: {}", m_file.string(), error.what()),
                    other ? "Give the path of a SQLite database file." : error.hint());
    }
}

int Connection::on_authorize(void* connection, int action, const char* first, const char*, const char*,
                             const char*) {
    std::optional<Compiling>& compiling = static_cast<Connection*>(connection)->m_compiling;
    // while a statement runs, its virtual tables and pragma functions may prepare what they need
    if (!compiling) return SQLITE_OK;
    if ((action == SQLITE_DROP_TABLE || action == SQLITE_DROP_VTABLE) && first)
        compiling->drops.emplace_back(first);
    if (!compiling->of_definition) return SQLITE_OK;
    switch (action) {
        case SQLITE_TRANSACTION:
            compiling->refused = first ? first : "transaction control";
            break;
        case SQLITE_SAVEPOINT:
            compiling->refused = "SAVEPOINT";
            break;
        case SQLITE_ATTACH:
            compiling->refused = "ATTACH";
            break;
        case SQLITE_DETACH:
            compiling->refused = "DETACH";
            break;
        case SQLITE_PRAGMA:
            // virtual tables (rtree) ask for pragmas while a statement on them is compiled
            if (compiling->maybe_pragma) compiling->refused = "PRAGMA";
            break;
        default:
            break;
    }
    return compiling->refused.empty() ? SQLITE_OK : SQLITE_DENY;
}

int Connection::on_commit(void* connection) {
    ++static_cast<Connection*>(connection)->m_generation;
    return 0;
}

void Connection::on_rollback(void* connection) {
    Connection* const self = static_cast<Connection*>(connection);
    ++self->m_generation;
    ++self->m_rollbacks;
}

std::unique_ptr<Statement> Connection::compile(const std::string& sql, bool of_definition) {
    const std::string keyword = first_keyword(sql, Engine::sqlite);
    m_compiling = {of_definition, keyword == "PRAGMA" || keyword == "EXPLAIN", "", {}};
    try {
        auto statement = std::make_unique<Statement>(handle(), sql);
        statement->drops = std::move(m_compiling->drops);
        m_compiling.reset();
        return statement;
    } catch (const DatabaseError&) {
        const std::string refused = m_compiling->refused;
        m_compiling.reset();
        if (refused.empty()) throw;
        throw DatabaseError(ExitCode::failed, fmt::format("{} is not allowed in a definition", refused),
                            "SQLITE_AUTH", sql, "Leave it out: datachange opens and ends the transactions.");
    }
}

StatementCache::Lease Connection::prepare(const std::string& sql) {
    return m_own.take(sql, [&] { return compile(sql, false); });
}

StatementCache::Lease Connection::prepare_for_definition(const std::string& sql) {
    return m_definition.take(sql, [&] { return compile(sql, true); });
}

RowSet Connection::rows(Statement& statement, std::size_t limit) {
    if (m_statement_limit.count() > 0) m_deadline = std::chrono::steady_clock::now() + m_statement_limit;
    const Canceller::Statement in_hand(m_canceller);
    const PhaseTimer timer(Phase::server);
    try {
        bool more = statement.step();
        RowSet rows{statement.columns()};  // after the first step, which follows a schema that has changed
        while (more) {
            statement.append_row(rows);
            more = rows.size() < limit && statement.step();
        }
        for (const std::string& table : statement.drops) m_witness.table_dropped(table);
        return rows;
    } catch (const DatabaseError&) {
        m_witness.statement_failed();
        note_failure();
        throw;
    }
}

void Connection::for_each(Statement& statement, const std::vector<Key>& keys) {
    m_deadline = std::chrono::steady_clock::time_point::max();
    const Canceller::Statement in_hand(m_canceller);
    try {
        for (const Key& key : keys) {
            statement.bind_in_place(key);
            statement.step();
            statement.reset();
        }
    } catch (const DatabaseError&) {
        m_witness.statement_failed();
        note_failure();
        throw;
    }
}

RowSet Connection::query(const std::string& sql, const std::vector<Value>& parameters) {
    StatementCache::Lease statement = prepare(sql);
    statement->bind("$", parameters);
    return rows(*statement);
}

int Connection::execute(const char* sql) noexcept {
    m_deadline = std::chrono::steady_clock::time_point::max();
    const int result = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) note_failure();
    return result;
}

void Connection::note_failure() {
    const int code = sqlite3_extended_errcode(handle());
    const bool fatal = (code & 0xff) == SQLITE_IOERR || code == SQLITE_READONLY_DBMOVED;
    m_broken = m_broken || fatal;
}

bool Connection::autocommit() const {
    return sqlite3_get_autocommit(handle()) != 0;
}

}  // namespace datachange::sqlite
