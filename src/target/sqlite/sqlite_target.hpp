#pragma once

#include <filesystem>

#include "target/sqlite/affected_keys.hpp"
#include "target/sqlite/connection.hpp"
#include "target/target.hpp"

namespace datachange::sqlite {

/// A SQLite file, opened by this process alone or together with others.
class SqliteTarget final : public Target {
public:
    /// @throws Error (unreachable)
    explicit SqliteTarget(const std::string& path);

    Engine engine() const override { return Engine::sqlite; }
    std::string name() const override { return "sqlite:" + m_file.string(); }
    std::string server_version() const override;
    void require_writable() override;

    void set_timeouts(const Timeouts& timeouts) override { m_timeouts = timeouts; }
    /// BEGIN, which waits for other processes that write, and COMMIT are not cancelled.
    void cancel() noexcept override { m_connection.cancel(); }
    /// After an input or output error, or when another file has taken this one's place. Reads may still work.
    bool lost() const override { return m_connection.lost(); }
    void reconnect() override;
    std::vector<std::string> other_sessions(const std::string&) override { return {}; }
    std::optional<double> replication_lag() override;

    void begin(Isolation isolation) override;
    CommitResult commit() override;
    void rollback() noexcept override;
    std::string transaction_id() override;
    void settle() override;

    RowSet query(const SqlTemplate& sql, const Scope& scope) override;
    RowSet query(const std::string& sql, const std::vector<Value>& parameters) override;
    void stream(const SqlTemplate& sql, std::size_t rows,
                const std::function<void(RowSet&&)>& piece) override;
    void stream_change(const SqlTemplate& sql, std::size_t rows,
                       const std::function<void(RowSet&&)>& piece) override;
    bool attempt(const std::function<bool()>& work) override;
    std::vector<Column> describe(const SqlTemplate& sql, const Scope& scope) override;
    std::optional<std::vector<Column>> prepare(const SqlTemplate& sql, const Scope& scope) override;

    TableInfo table(const std::string& name) override;
    bool has_table(const std::string& name) override;

    TouchedTables touched() override;
    std::string lock_clause() const override { return ""; }
    std::string journal_obstacle() override { return ""; }
    void set_journal_schema(const std::string& schema) override;
    std::string journal_prefix() const override { return "main."; }
    void enforce_foreign_keys(bool on) override;

private:
    enum class State { none, reading, writing };

    /// The statement with the macros written out, compiled and with its values bound.
    StatementCache::Lease bind(const SqlTemplate& sql, const Scope& scope);
    void require_allowed(const Statement& statement) const;

    std::filesystem::path m_file;
    Connection m_connection;
    AffectedKeys m_affected{m_connection};
    State m_state = State::none;
    Timeouts m_timeouts;
    bool m_foreign_keys = true;
    unsigned long long m_rollbacks_at_begin = 0;
};

}  // namespace datachange::sqlite
