#pragma once

#include <chrono>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>

#include "core/row_set.hpp"
#include "target/canceller.hpp"
#include "target/sqlite/statement.hpp"
#include "target/sqlite/witness.hpp"

namespace datachange::sqlite {

/// An open database file: statements, the hooks on them, and the rules for those that a definition brings
/// along.
class Connection {
public:
    /// Opens an existing file, given by its absolute path; nothing in it is taken for a URI.
    /// @throws Error (unreachable)
    explicit Connection(const std::filesystem::path& file);

    /// Opens the file anew, without a look into it; no Lease may be out. What was open is rolled back.
    /// @throws Error (unreachable); the file that was open stays so.
    void reopen();
    /// From here on statements are cancelled. @throws Error (unreachable)
    void check_readable();
    /// An input or output error has left the session in an unknown state, or it is moved().
    bool lost() const { return m_broken || moved(); }
    /// The file that is open has another path now, or none.
    bool moved() const;
    /// Asks the statement in hand to end. From any thread, at any time.
    void cancel() noexcept { m_canceller.cancel(); }
    /// How long to wait for another process's lock, and how long a statement may take; 0: as it is without a
    /// limit set. Until lift_limits(). @throws DatabaseError
    void set_limits(std::chrono::milliseconds lock, std::chrono::milliseconds statement);
    void lift_limits() noexcept;

    sqlite3* handle() const { return m_database.getHandle(); }
    Witness& witness() { return m_witness; }

    /// A statement of the tool's own.
    StatementCache::Lease prepare(const std::string& sql);
    /// A statement of a definition. @throws DatabaseError (SQLITE_AUTH) for transaction control, ATTACH and
    /// PRAGMA.
    StatementCache::Lease prepare_for_definition(const std::string& sql);

    /// Steps through a statement whose values are bound; at most so many rows, and the next ones with the
    /// next call. @throws DatabaseError
    RowSet rows(Statement& statement, std::size_t limit = std::numeric_limits<std::size_t>::max());
    /// Executes a statement of the tool's own once for each key, bound to its parameters in order.
    /// @throws DatabaseError
    void for_each(Statement& statement, const std::vector<Key>& keys);
    /// The tool's own, with $1, $2, ... bound.
    RowSet query(const std::string& sql, const std::vector<Value>& parameters = {});
    /// Executes without rows. @return SQLite's result code, extended.
    int execute(const char* sql) noexcept;

    /// No transaction is open.
    bool autocommit() const;
    /// A number that is another one after anything has begun or ended a transaction.
    unsigned long long generation() const { return m_generation; }
    void next_generation() { ++m_generation; }
    /// A number that is another one after a rollback, whoever caused it.
    unsigned long long rollbacks() const { return m_rollbacks; }

private:
    static int on_authorize(void* connection, int action, const char* first, const char* second,
                            const char* schema, const char* trigger);
    static int on_progress(void* connection);
    static int on_commit(void* connection);
    static void on_rollback(void* connection);
    void install_hooks();
    void note_failure();

    /// What is being compiled; the authorizer judges by it.
    struct Compiling {
        bool of_definition = false;
        bool maybe_pragma = false;
        std::string refused;
        std::vector<std::string> drops;
    };
    std::unique_ptr<Statement> compile(const std::string& sql, bool of_definition);

    std::filesystem::path m_file;
    SQLite::Database m_database;
    Witness m_witness;
    std::optional<Compiling> m_compiling;
    StatementCache m_own, m_definition;  // apart: what the tool may, a definition with the same text may not
    Canceller m_canceller;
    std::optional<int> m_own_wait;  ///< for a lock, milliseconds, while there are limits
    std::chrono::milliseconds m_statement_limit{0};
    std::chrono::steady_clock::time_point m_deadline;  ///< of the statement in hand
    bool m_broken = false;
    unsigned long long m_generation = 0;
    unsigned long long m_rollbacks = 0;
};

}  // namespace datachange::sqlite
