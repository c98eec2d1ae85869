#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/row_set.hpp"
#include "core/sql_template.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// How a transaction is opened.
enum class Isolation {
    read_only,        ///< one snapshot, no writes (PostgreSQL: REPEATABLE READ READ ONLY; SQLite: BEGIN)
    repeatable_read,  ///< the normal batch (SQLite: BEGIN IMMEDIATE)
    read_committed,   ///< after a serialization failure, with keys locked first (SQLite: BEGIN IMMEDIATE)
};

/// What became of a COMMIT.
enum class Outcome { committed, rolled_back, in_doubt };

struct CommitResult {
    Outcome outcome = Outcome::committed;
    std::string sqlstate;  ///< empty if committed
    std::string message;
};

/// What the macros of a statement stand for in one execution.
///
/// :batch(a, b) becomes TRUE where the range is everything, else `(a, b) > (...) AND (a, b) <= (...)` with the
/// bounds bound as parameters of range_types. :affected(a) becomes true for exactly the rows whose key is in
/// `affected`, bound with affected_types; nullptr: no key at all.
/// Types are the Column::type of the columns that the keys were read from, in order; SQLite ignores them.
struct Scope {
    KeyRange range;
    std::vector<std::string> range_types;
    const std::vector<Key>* affected = nullptr;
    std::vector<std::string> affected_types;
};

struct TableColumn {
    std::string name;
    std::string type;
    bool not_null = false;
    bool generated = false;
};

/// How long a transaction that writes may wait and work. 0: the session's own setting stays.
struct Timeouts {
    std::chrono::milliseconds lock{0};       ///< for a lock (SQLite: for another process that writes)
    std::chrono::milliseconds statement{0};  ///< for one statement
};

/// A table as the target's catalog knows it.
struct TableInfo {
    std::string name;  ///< as the user wrote it
    std::string id;    ///< the name as TouchedTables and Column::origin_table have it
    std::vector<TableColumn> columns;
    /// Column names of each unique index or primary key that holds for all rows (no partial, expression or invalid
    /// ones; PostgreSQL: with the columns' own collations). Row addresses (ctid, rowid) are not listed.
    std::vector<std::vector<std::string>> unique_keys;
    bool foreign = false;  ///< a foreign or virtual table, without atomic commit
};

/// Rows touched in one table within the transaction.
struct Touched {
    std::int64_t inserted = 0, updated = 0, deleted = 0;
    bool truncated = false;
};

/// The witness: what the target itself counted since begin(), by table id ("schema.table"; SQLite: "main.table").
/// Partitions count for their root table. The journal's own tables, temporary tables of the tool and system catalogs
/// are left out.
struct TouchedTables {
    enum class Trust { complete, may_overcount, unavailable };
    Trust trust = Trust::complete;
    std::string reason;  ///< why it is not complete
    std::map<std::string, Touched> tables;
};

/// A connection to the database that is changed. Nobody but compose.cpp knows which one it is.
///
/// Not thread-safe. Every failing call throws DatabaseError (with SQLSTATE and the statement; never a password) and
/// leaves an open transaction to be rolled back by the caller. No method commits by itself outside begin()/commit():
/// a statement executed without begin() stands alone.
class Target {
public:
    virtual ~Target() = default;
    Target() = default;
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    virtual Engine engine() const = 0;
    /// Where it is, without password: "postgresql://user@host:5432/name", "sqlite:/path/of/file".
    virtual std::string name() const = 0;
    /// "PostgreSQL 15.4", "SQLite 3.40.1".
    virtual std::string server_version() const = 0;

    /// @throws Error (unreachable) if the target cannot be written: a replica, a read-only file or session.
    virtual void require_writable() = 0;

    // --- the session -------------------------------------------------------------------------------------------
    /// From the next begin() that writes on. A statement that takes too long fails with 55P03 or 57014 (SQLite:
    /// SQLITE_BUSY, SQLITE_INTERRUPT).
    virtual void set_timeouts(const Timeouts& timeouts) = 0;
    /// Asks the statement in hand to end, which then fails with 57014 (SQLite: SQLITE_INTERRUPT). The one method that
    /// any thread may call at any time; does nothing where no statement runs.
    virtual void cancel() noexcept = 0;
    /// The connection is gone; every call fails until reconnect().
    virtual bool lost() const = 0;
    /// A new session in place of the old one, with the same settings (journal schema, timeouts, foreign keys).
    /// @throws Error (unreachable)
    virtual void reconnect() = 0;
    /// Other sessions in the same database that carry the application name, each as a person reads it: "session 4711
    /// (alice, 10.0.0.7, idle in transaction for 12 s)". SQLite knows none.
    virtual std::vector<std::string> other_sessions(const std::string& application_name) = 0;
    /// How far the replica that is furthest behind lags, in seconds; nothing where no replica is connected.
    /// @throws Error (usage) if this role may not see it, or the engine has no replicas.
    virtual std::optional<double> replication_lag() = 0;

    // --- transactions -------------------------------------------------------------------------------------------
    virtual void begin(Isolation isolation) = 0;
    /// Never throws for an error of the COMMIT itself: tells what is known of it.
    virtual CommitResult commit() = 0;
    /// Never throws; a connection that is gone has rolled back.
    virtual void rollback() noexcept = 0;
    /// Names the open transaction; another answer later in what should be the same one means that something ended it.
    virtual std::string transaction_id() = 0;
    /// Makes deferred constraints and triggers act now.
    virtual void settle() = 0;

    // --- statements ---------------------------------------------------------------------------------------------
    /// Executes one statement of a definition; rows in the order the server gave.
    virtual RowSet query(const SqlTemplate& sql, const Scope& scope) = 0;
    /// Executes one statement of the tool's own; $1, $2, ... in order of first appearance are the parameters.
    virtual RowSet query(const std::string& sql, const std::vector<Value>& parameters = {}) = 0;
    /// Reads a query without macros bound (range everything) in pieces of at most `rows`; memory holds one piece. A
    /// transaction must be open. An empty result gives one empty piece with its columns.
    virtual void stream(const SqlTemplate& sql, std::size_t rows,
                        const std::function<void(RowSet&&)>& piece) = 0;
    /// Executes a statement that changes data, without macros bound, and gives what its RETURNING gives in pieces as
    /// stream() does; nothing else can be asked of the target from within `piece`.
    virtual void stream_change(const SqlTemplate& sql, std::size_t rows,
                               const std::function<void(RowSet&&)>& piece) = 0;
    /// Does work in the open transaction. Where it gives false, what it changed is undone, and the transaction goes on;
    /// the witness counts what was undone all the same.
    /// @return what work gave
    virtual bool attempt(const std::function<bool()>& work) = 0;
    /// The columns of a query without executing it.
    virtual std::vector<Column> describe(const SqlTemplate& sql, const Scope& scope) = 0;
    /// Has the server parse and plan a statement, and nothing else. Gives the columns of its result where the engine
    /// tells them beforehand (SQLite), else nothing.
    virtual std::optional<std::vector<Column>> prepare(const SqlTemplate& sql, const Scope& scope) = 0;

    // --- catalog ------------------------------------------------------------------------------------------------
    /// @param name in SQL notation: users, app."User", `note id`.
    /// @throws Error (usage) "no such table", with a name that is near as hint.
    virtual TableInfo table(const std::string& name) = 0;
    /// True if a table of that (SQL notation) name is there.
    virtual bool has_table(const std::string& name) = 0;

    // --- evidence -----------------------------------------------------------------------------------------------
    virtual TouchedTables touched() = 0;
    /// SQLite: "FOR UPDATE" has no meaning; PostgreSQL: " FOR UPDATE". For locking reads by key.
    virtual std::string lock_clause() const = 0;
    /// Why the tool must not create its journal here by itself (a FOR ALL TABLES publication), or "".
    virtual std::string journal_obstacle() = 0;
    /// The journal's tables are named by this prefix in SQL: "" or "schema.". Set once after connecting.
    virtual void set_journal_schema(const std::string& schema) = 0;
    virtual std::string journal_prefix() const = 0;
    /// Sessions' enforcement of foreign keys (SQLite's is per connection and off by itself); PostgreSQL: nothing.
    virtual void enforce_foreign_keys(bool on) = 0;
};

/// Connects to PostgreSQL. @param url a libpq URL or key=value string; empty: libpq's PG* variables.
/// @throws Error (unreachable) that names the target without its password.
std::unique_ptr<Target> connect_postgres(const std::string& url, const std::string& application_name);

/// Opens an existing SQLite file. @throws Error (unreachable) if it is not there or no database.
std::unique_ptr<Target> open_sqlite(const std::string& path);

}  // namespace datachange
