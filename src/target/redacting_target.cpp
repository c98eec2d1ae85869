#include "target/redacting_target.hpp"

#include <utility>

#include "core/hash.hpp"
#include "core/redaction.hpp"

namespace datachange {

namespace {

std::string withheld(const std::string& told) {
    return told + " (the rest of the message is withheld: the definition redacts values)";
}

/// Executes something; what an error may say of values is left out of it.
/// @param harmless the SQLSTATE of errors that are told in full
template <typename Work>
auto guarded(Work&& work, const std::string& harmless = "none") {
    try {
        return work();
    } catch (const DatabaseError& error) {
        if (error.without_values().empty() || error.sqlstate() == harmless) throw;
        DatabaseError told(error.code(), withheld(error.without_values()), error.sqlstate(),
                           error.statement(), error.hint());
        told.at(error.where());
        throw told;
    }
}

class RedactingTarget final : public Target {
public:
    RedactingTarget(Target& target, std::unique_ptr<Target> owned, const std::string& key)
        : m_owned(std::move(owned)), m_target(target), m_redactor(key) {}

    RowSet query(const SqlTemplate& sql, const Scope& scope) override {
        return guarded([&] { return m_redactor.redacted(m_target.query(sql, scope), sql.redact); });
    }
    RowSet query(const std::string& sql, const std::vector<Value>& parameters) override {
        // of the tool's own statements, who lacks a right is told which one
        return guarded([&] { return m_target.query(sql, parameters); }, "42501");
    }
    void stream(const SqlTemplate& sql, std::size_t rows,
                const std::function<void(RowSet&&)>& piece) override {
        guarded([&] { m_target.stream(sql, rows, redacted(piece, sql)); });
    }
    void stream_change(const SqlTemplate& sql, std::size_t rows,
                       const std::function<void(RowSet&&)>& piece) override {
        guarded([&] { m_target.stream_change(sql, rows, redacted(piece, sql)); });
    }
    void settle() override {
        guarded([&] { m_target.settle(); });
    }
    CommitResult commit() override {
        CommitResult result = m_target.commit();
        // SQLite's messages are fixed texts; where there is no SQLSTATE, they are not the server's
        const bool of_server = !result.sqlstate.empty() && !result.sqlstate.starts_with("SQLITE_");
        if (of_server && !m_target.lost()) result.message = withheld(result.sqlstate);
        return result;
    }
    bool attempt(const std::function<bool()>& work) override {
        return guarded([&] { return m_target.attempt(work); });
    }

    Engine engine() const override { return m_target.engine(); }
    std::string name() const override { return m_target.name(); }
    std::string server_version() const override { return m_target.server_version(); }
    void require_writable() override { m_target.require_writable(); }
    void set_timeouts(const Timeouts& timeouts) override { m_target.set_timeouts(timeouts); }
    void cancel() noexcept override { m_target.cancel(); }
    bool lost() const override { return m_target.lost(); }
    void reconnect() override { m_target.reconnect(); }
    std::vector<std::string> other_sessions(const std::string& application_name) override {
        return m_target.other_sessions(application_name);
    }
    std::optional<double> replication_lag() override { return m_target.replication_lag(); }
    void begin(Isolation isolation) override { m_target.begin(isolation); }
    void rollback() noexcept override { m_target.rollback(); }
    std::string transaction_id() override { return m_target.transaction_id(); }
    std::vector<Column> describe(const SqlTemplate& sql, const Scope& scope) override {
        return m_target.describe(sql, scope);
    }
    std::optional<std::vector<Column>> prepare(const SqlTemplate& sql, const Scope& scope) override {
        return m_target.prepare(sql, scope);
    }
    TableInfo table(const std::string& name) override { return m_target.table(name); }
    bool has_table(const std::string& name) override { return m_target.has_table(name); }
    TouchedTables touched() override { return m_target.touched(); }
    std::string lock_clause() const override { return m_target.lock_clause(); }
    std::string journal_obstacle() override { return m_target.journal_obstacle(); }
    void set_journal_schema(const std::string& schema) override { m_target.set_journal_schema(schema); }
    std::string journal_prefix() const override { return m_target.journal_prefix(); }
    void enforce_foreign_keys(bool on) override { m_target.enforce_foreign_keys(on); }

private:
    std::function<void(RowSet&&)> redacted(const std::function<void(RowSet&&)>& piece,
                                           const SqlTemplate& sql) const {
        return
            [this, &piece, &sql](RowSet&& rows) { piece(m_redactor.redacted(std::move(rows), sql.redact)); };
    }

    std::unique_ptr<Target> m_owned;
    Target& m_target;
    Redactor m_redactor;
};

}  // namespace

std::unique_ptr<Target> redacting(std::unique_ptr<Target> target, const std::string& key) {
    Target& inner = *target;
    return std::make_unique<RedactingTarget>(inner, std::move(target), key);
}

std::unique_ptr<Target> withholding(Target& target) {
    return std::make_unique<RedactingTarget>(target, nullptr, new_uuid());
}

}  // namespace datachange
