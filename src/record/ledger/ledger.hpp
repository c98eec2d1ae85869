#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>

#include "datachange/error.hpp"
#include "record/ledger/change_reader.hpp"

namespace datachange {

/// What a failure of the ledger leaves behind, for those who read the error.
struct LedgerStake {
    /// What holds of the target when a batch is recorded, before its COMMIT.
    static constexpr const char* before_commit =
        "Nothing of the batch in hand was changed in the target, and what is committed is kept.";

    std::int64_t run = 0;              ///< that can be gone on with; 0: none
    const char* kept = before_commit;  ///< whole sentences
};

/// The ledger itself has failed.
class LedgerError : public Error {
public:
    using Error::Error;
};

/// The ledger file, open for writing: the connection, its transactions and its statements.
///
/// Not thread-safe. Methods throw SQLite::Exception unless they say otherwise; who faces the outside runs its
/// work in guarded(), which makes an Error of it.
class Ledger {
public:
    /// Opens a ledger, which is made (mode 0600) if the file is not there.
    ///
    /// A file that is not a ledger, or is one of a newer version, is left as it is.
    /// @param lock_timeout_ms how long any later call waits for another writer.
    /// @throws Error (unreachable)
    static Ledger open(const std::string& path, int lock_timeout_ms);
    /// Opens a ledger of this version that is there already, to read it: nothing is ever written.
    /// @throws Error (unreachable)
    static Ledger open_to_read(const std::string& path);
    /// An empty ledger in SQLite's private temporary storage, gone when it is closed.
    static Ledger scratch();

    void begin();
    void commit();
    void rollback() noexcept;
    bool in_transaction() const;

    /// Runs work in the open transaction, or else in one of its own that is committed.
    template <class Work>
    void transact(Work&& work);

    /// A statement, prepared once, reset and without bindings. The next call with the same text takes it
    /// back.
    SQLite::Statement& statement(const std::string& sql);
    /// Ends all prepared statements: one that is not reset holds on to its table.
    void forget_statements() { m_statements.clear(); }
    /// A statement with all its parameters bound: integers, texts, and optionals, which may be NULL.
    template <class... Values>
    SQLite::Statement& bound(const std::string& sql, const Values&... values);
    /// Executes a statement that gives no rows.
    template <class... Values>
    void execute(const std::string& sql, const Values&... values) {
        SQLite::Statement& prepared = bound(sql, values...);
        prepared.exec();
        prepared.reset();
    }

    /// The rows of a step's committed batches.
    ChangeReader changes_of(std::int64_t run_id, int step) { return {m_database, run_id, step}; }

    /// Executes statements without parameters that give no rows.
    void run(const std::string& script);

    std::int64_t last_id() const { return m_database.getLastInsertRowid(); }
    /// Rows changed by the last statement.
    int changes() const { return m_database.getChanges(); }
    /// Brings the write-ahead log into the file and empties it, unless somebody else is using it.
    void checkpoint() noexcept;
    /// Brings the write-ahead log into the file if it has become long. SQLite itself would do so within the
    /// COMMIT that somebody waits for.
    void checkpoint_if_due() noexcept;

    /// Runs work; a SQLite::Exception in it becomes an Error (unreachable) that names the ledger, says what
    /// was kept and what to do next. After a sync that failed nothing more is written: what the system then
    /// has on the disk and what it only claims to have cannot be told apart.
    /// @param kept whole sentences on what holds of the target
    template <class Work>
    decltype(auto) guarded(Work&& work, const char* kept = LedgerStake::before_commit);
    /// Errors name the run from here on, as what can be gone on with.
    void set_run(std::int64_t run_id) { m_run = run_id; }

    /// The UUID that names this ledger.
    std::string uuid();
    const std::string& path() const { return m_path; }
    SQLite::Database& database() { return m_database; }

private:
    Ledger(std::string path, SQLite::Database database);
    static Ledger connect(const std::string& path, int lock_timeout_ms);
    void make_schema();
    void bring_up_to_date();
    LedgerError failed(const SQLite::Exception& failure, const char* kept);

    std::string m_path;
    SQLite::Database m_database;
    std::unordered_map<std::string, SQLite::Statement> m_statements;
    std::unique_ptr<int> m_log_pages =
        std::make_unique<int>(0);  ///< of the write-ahead log; SQLite knows where it is
    int m_lock_timeout_ms = 0;
    std::int64_t m_run = 0;
    bool m_sync_failed = false;
};

/// What a failure of SQLite on a ledger means to a user.
LedgerError ledger_failure(const std::string& path, const SQLite::Exception& failure,
                           const LedgerStake& stake = {});

/// The extended result code of a failure, or else the plain one.
int sqlite_code(const SQLite::Exception& failure) noexcept;

/// Refuses what is not a ledger that this version can read.
/// @return true for a ledger, of this version or an older one; false for a database without anything in it.
/// @throws Error (unreachable); SQLite::Exception
bool require_ledger(const std::string& path, SQLite::Database& database);

/// NULL for an empty text.
inline std::optional<std::string> nullable(std::string text) {
    return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

template <class Value>
void bind_value(SQLite::Statement& statement, int place, const Value& value) {
    if constexpr (std::is_integral_v<Value>) {
        statement.bind(place, static_cast<std::int64_t>(value));
    } else {
        statement.bind(place, value);
    }
}

template <class Value>
void bind_value(SQLite::Statement& statement, int place, const std::optional<Value>& value) {
    if (value) {
        bind_value(statement, place, *value);
    } else {
        statement.bind(place);
    }
}

template <class... Values>
SQLite::Statement& Ledger::bound(const std::string& sql, const Values&... values) {
    SQLite::Statement& prepared = statement(sql);
    int place = 0;
    (bind_value(prepared, ++place, values), ...);
    return prepared;
}

template <class Work>
void Ledger::transact(Work&& work) {
    if (in_transaction()) return work();
    begin();
    try {
        work();
        commit();
    } catch (...) {
        rollback();
        throw;
    }
}

template <class Work>
decltype(auto) Ledger::guarded(Work&& work, const char* kept) {
    try {
        return work();
    } catch (const SQLite::Exception& failure) {
        throw failed(failure, kept);
    }
}

}  // namespace datachange
