#pragma once

#include "target/postgres/bind.hpp"
#include "target/postgres/catalog.hpp"
#include "target/postgres/connection.hpp"
#include "target/postgres/sessions.hpp"
#include "target/postgres/statements.hpp"
#include "target/postgres/witness.hpp"
#include "target/target.hpp"

namespace datachange::postgres {

/// A session on a PostgreSQL server, 13 or later.
class PostgresTarget final : public Target {
public:
    /// @throws Error (unreachable)
    PostgresTarget(const std::string& url, const std::string& application_name);

    Engine engine() const override { return Engine::postgresql; }
    std::string name() const override { return address_text(m_connection.address()); }
    std::string server_version() const override { return m_server_version; }
    void require_writable() override;

    void set_timeouts(const Timeouts& timeouts) override { m_timeouts = timeouts; }
    void cancel() noexcept override { m_connection.cancel(); }
    bool lost() const override { return m_connection.lost(); }
    void reconnect() override;
    std::vector<std::string> other_sessions(const std::string& application_name) override;
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
    std::string lock_clause() const override { return " FOR UPDATE"; }
    std::string journal_obstacle() override;
    void set_journal_schema(const std::string& schema) override;
    std::string journal_prefix() const override;
    void enforce_foreign_keys(bool) override {}

private:
    /// What is known of the transaction that begin() opened.
    enum class State { none, open, failed };

    void start_session();
    void open_transaction(Isolation isolation);
    void end_transaction();
    template <typename Call>
    auto in_transaction(Call&& call);
    Result execute(const std::string& sql, const Parameters& parameters = {});
    RowSet rows(const std::string& sql, const Parameters& parameters, bool by_name = true);

    Connection m_connection;
    Catalog m_catalog{m_connection};
    Statements m_statements{m_connection};
    Witness m_witness;
    State m_state = State::none;
    CommitResult m_failure;  ///< of the statement that made the transaction fail
    /// As the server has told it last, if nothing was executed since that could have ended the transaction.
    std::optional<std::string> m_transaction_id;
    bool m_touched = false;  ///< something was executed since begin() that may have touched rows
    Timeouts m_timeouts;
    ReplicationLag m_replication_lag;
    bool m_must_write =
        false;  ///< require_writable() has found it so, and a new session must be writable too
    std::string m_server_version;
    std::string m_journal_schema;
    unsigned m_cursors = 0;
};

/// Runs a call and remembers if it made the transaction fail.
template <typename Call>
auto PostgresTarget::in_transaction(Call&& call) {
    m_transaction_id.reset();
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

}  // namespace datachange::postgres
