#include "target/sqlite/sqlite_target.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/text.hpp"
#include "target/macros.hpp"
#include "target/sqlite/errors.hpp"
#include "target/sqlite/tables.hpp"

namespace datachange::sqlite {

namespace {

constexpr int oldest_version = 3035000;  // RETURNING

/// The folder's links are resolved, so that journal and database are found beside each other; the file's own
/// name stays.
std::filesystem::path absolute_path(const std::string& path) {
    std::error_code failure;
    const std::filesystem::path absolute = std::filesystem::absolute(path, failure);
    const std::filesystem::path folder = std::filesystem::canonical(absolute.parent_path(), failure);
    return failure ? absolute : folder / absolute.filename();
}

bool may_write(const std::filesystem::path& path) {
    return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

}  // namespace

SqliteTarget::SqliteTarget(const std::string& path) : m_file(absolute_path(path)), m_connection(m_file) {
    if (sqlite3_libversion_number() < oldest_version) {
        throw Error(ExitCode::unreachable, fmt::format("{} is too old", server_version()),
                    "SQLite 3.35 or later is needed.");
    }
    enforce_foreign_keys(true);
}

// --- the session
// ----------------------------------------------------------------------------------------------------

void SqliteTarget::reconnect() {
    m_state = State::none;
    m_connection.reopen();
    enforce_foreign_keys(m_foreign_keys);
    m_connection.check_readable();
}

std::optional<double> SqliteTarget::replication_lag() {
    throw Error(ExitCode::usage, "SQLite has no replicas", "Leave the limit on their lag out.");
}

std::string SqliteTarget::server_version() const {
    return std::string{"SQLite "} + sqlite3_libversion();
}

void SqliteTarget::require_writable() {
    const auto refuse = [this](const char* what, const char* hint) {
        throw Error(ExitCode::unreachable, fmt::format("{} {}", m_file.string(), what), hint);
    };
    if (sqlite3_db_readonly(m_connection.handle(), "main") != 0 || !may_write(m_file)) {
        refuse("cannot be written", "Check the permissions of the file.");
    }
    if (!may_write(m_file.parent_path())) {
        refuse("cannot be written",
               "SQLite writes its journal beside it: check the permissions of the folder.");
    }
    if (m_connection.query("PRAGMA query_only").text(0, 0) != "0") {
        refuse("is opened for queries only", "Switch query_only off.");
    }
}

// --- transactions
// ---------------------------------------------------------------------------------------------------

void SqliteTarget::begin(Isolation isolation) {
    if (m_state != State::none) throw std::logic_error("a transaction is open already");
    const bool writes = isolation != Isolation::read_only;
    const char* const begin_sql = writes ? "BEGIN IMMEDIATE" : "BEGIN";
    if (writes && m_connection.moved()) {
        // SQLite itself does not notice in WAL mode, and writes where nobody looks
        throw DatabaseError(ExitCode::unreachable, "the database file was moved or replaced",
                            "SQLITE_READONLY_DBMOVED", begin_sql,
                            "Look what stands at " + m_file.string() + ".");
    }
    if (writes) m_connection.set_limits(m_timeouts.lock, m_timeouts.statement);
    if (m_connection.execute(begin_sql) != SQLITE_OK) {
        const DatabaseError error = last_error(m_connection.handle(), begin_sql);
        m_connection.lift_limits();
        throw error;
    }
    m_connection.next_generation();
    m_rollbacks_at_begin = m_connection.rollbacks();
    m_state = writes ? State::writing : State::reading;
    if (writes) {
        m_connection.witness().start();
        return;
    }
    try {
        m_connection.query(
            "SELECT count(*) FROM sqlite_schema");  // takes the snapshot, which BEGIN alone does not
    } catch (...) {
        rollback();
        throw;
    }
}

namespace {

/// Errors of COMMIT that are raised before the point where a crash would find it committed: nothing of it
/// stays.
bool before_commit_point(int code) {
    static constexpr std::array<int, 5> codes{SQLITE_BUSY, SQLITE_CONSTRAINT, SQLITE_FULL, SQLITE_NOMEM,
                                              SQLITE_INTERRUPT};
    return std::find(codes.begin(), codes.end(), code & 0xff) != codes.end();
}

}  // namespace

CommitResult SqliteTarget::commit() {
    m_state = State::none;
    m_connection.witness().stop();
    const int committed = m_connection.execute("COMMIT");  // may wait for readers as long as begin() set it
    m_connection.lift_limits();
    if (committed == SQLITE_OK) return {};

    const int code = sqlite3_extended_errcode(m_connection.handle());
    CommitResult result{Outcome::in_doubt, code_name(code), sqlite3_errmsg(m_connection.handle())};
    const bool ended_before = m_connection.autocommit() && m_connection.rollbacks() != m_rollbacks_at_begin &&
                              (code & 0xff) == SQLITE_ERROR;
    // SQLite leaves the transaction open after some errors (BUSY, CONSTRAINT) and rolls it back itself after
    // others
    const bool still_open = !m_connection.autocommit();
    if (still_open) m_connection.execute("ROLLBACK");
    const bool certain = ended_before || still_open || before_commit_point(code);
    if (certain && m_connection.autocommit()) result.outcome = Outcome::rolled_back;
    return result;
}

void SqliteTarget::rollback() noexcept {
    m_state = State::none;
    m_connection.witness().stop();
    if (!m_connection.autocommit()) m_connection.execute("ROLLBACK");
    m_connection.lift_limits();
}

std::string SqliteTarget::transaction_id() {
    return std::to_string(m_connection.generation());
}

void SqliteTarget::settle() {
    int unresolved = 0;
    int highest = 0;
    sqlite3_db_status(m_connection.handle(), SQLITE_DBSTATUS_DEFERRED_FKS, &unresolved, &highest, 0);
    if (unresolved == 0) return;
    throw DatabaseError(
        ExitCode::failed, "FOREIGN KEY constraint failed", "SQLITE_CONSTRAINT_FOREIGNKEY", "",
        "A deferred foreign key would fail at COMMIT; PRAGMA foreign_key_check names the rows.");
}

// --- statements
// -----------------------------------------------------------------------------------------------------

namespace {

/// Without statistics SQLite takes an indexed equality for ten rows, a table for a million and a range for a
/// sixteenth of it: it would read the whole set for each batch. Told so, it takes a range for eight rows. One
/// bound of two must not get there by itself: the other would then be of no use, and the scan go on to the
/// end.
std::string selective(const std::string& comparison, bool alone) {
    return fmt::format("likelihood({}, {})", comparison, alone ? "0.000001" : "0.0027");
}

}  // namespace

StatementCache::Lease SqliteTarget::bind(const SqlTemplate& sql, const Scope& scope) {
    // named apart from anything that a definition may say; one place for each value, however often it is
    // bound
    static const std::string prefix = ":datachange_";
    std::vector<Value> values;
    std::map<const Value*, std::string> places;
    bool affected = false;
    const MacroWriter writer{
        [&](const Value& value, std::size_t) {
            std::string& place = places[&value];
            if (place.empty()) {
                values.push_back(value);
                place = prefix + std::to_string(values.size());
            }
            return place;
        },
        [&](const std::vector<std::string>& arguments) {
            affected = true;
            return AffectedKeys::condition(arguments);
        },
        &selective,
    };
    const std::string text = write_macros(sql, scope, writer);
    if (affected) m_affected.fill(*scope.affected);
    StatementCache::Lease statement = m_connection.prepare_for_definition(text);
    statement->bind(prefix, values);
    return statement;
}

void SqliteTarget::require_allowed(const Statement& statement) const {
    if (m_state != State::reading || statement.reads_only()) return;
    throw DatabaseError(ExitCode::failed, "the transaction is read-only", "SQLITE_READONLY", statement.sql());
}

RowSet SqliteTarget::query(const SqlTemplate& sql, const Scope& scope) {
    StatementCache::Lease statement = bind(sql, scope);
    require_allowed(*statement);
    return m_connection.rows(*statement);
}

RowSet SqliteTarget::query(const std::string& sql, const std::vector<Value>& parameters) {
    StatementCache::Lease statement = m_connection.prepare(sql);
    statement->bind("$", parameters);
    require_allowed(*statement);
    return m_connection.rows(*statement);
}

void SqliteTarget::stream(const SqlTemplate& sql, std::size_t rows,
                          const std::function<void(RowSet&&)>& piece) {
    if (m_state == State::none) throw std::logic_error("a transaction must be open to stream in");
    StatementCache::Lease statement = bind(sql, Scope{});
    require_allowed(*statement);
    for (bool first = true;; first = false) {
        RowSet found = m_connection.rows(*statement, rows);
        const std::size_t got = found.size();
        if (got > 0 || first) piece(std::move(found));
        if (got < rows) break;
    }
}

void SqliteTarget::stream_change(const SqlTemplate& sql, std::size_t rows,
                                 const std::function<void(RowSet&&)>& piece) {
    stream(sql, rows, piece);  // the first step does all of the change, and keeps its rows out of memory
}

bool SqliteTarget::attempt(const std::function<bool()>& work) {
    m_connection.query("SAVEPOINT datachange_attempt");
    const bool done = work();
    if (!done) m_connection.query("ROLLBACK TO SAVEPOINT datachange_attempt");
    m_connection.query("RELEASE SAVEPOINT datachange_attempt");
    if (!done) {
        // the table of keys was undone too: whatever it is said to hold, the next ones are written anew
        m_affected.fill({Key{Value{}}});
    }
    return done;
}

std::vector<Column> SqliteTarget::describe(const SqlTemplate& sql, const Scope& scope) {
    return bind(sql, scope)->columns();
}

std::optional<std::vector<Column>> SqliteTarget::prepare(const SqlTemplate& sql, const Scope& scope) {
    return describe(sql, scope);
}

// --- catalog and evidence
// -------------------------------------------------------------------------------------------

TableInfo SqliteTarget::table(const std::string& name) {
    return read_table(m_connection, name);
}

bool SqliteTarget::has_table(const std::string& name) {
    return find_table(m_connection, name).has_value();
}

TouchedTables SqliteTarget::touched() {
    return m_connection.witness().read(virtual_tables(m_connection));
}

void SqliteTarget::set_journal_schema(const std::string& schema) {
    if (schema.empty() || lower(schema) == "main") return;
    throw Error(ExitCode::usage, fmt::format("SQLite has no schema {} for the journal", schema),
                "Leave --journal-schema out: the journal stands in the same file.");
}

void SqliteTarget::enforce_foreign_keys(bool on) {
    // within a transaction the pragma does nothing, and says nothing
    if (!m_connection.autocommit())
        throw std::logic_error("foreign keys cannot be switched in a transaction");
    m_foreign_keys = on;
    m_connection.query(on ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF");
}

}  // namespace datachange::sqlite

namespace datachange {

std::unique_ptr<Target> open_sqlite(const std::string& path) {
    return std::make_unique<sqlite::SqliteTarget>(path);
}

}  // namespace datachange
