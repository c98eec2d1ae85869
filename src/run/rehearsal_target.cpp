#include "run/rehearsal_target.hpp"

#include <stdexcept>

namespace datachange {

namespace {

class RehearsalTarget : public Target {
public:
    explicit RehearsalTarget(Target& target) : m_target(target) {
        m_target.begin(Isolation::repeatable_read);
    }
    ~RehearsalTarget() override { rollback(); }

    void begin(Isolation) override {}
    CommitResult commit() override { return {}; }
    void rollback() noexcept override {
        m_over = true;
        m_target.rollback();
    }

    void set_timeouts(const Timeouts& timeouts) override { m_target.set_timeouts(timeouts); }
    void cancel() noexcept override { m_target.cancel(); }
    bool lost() const override { return m_target.lost(); }
    void reconnect() override { throw std::logic_error("a dry run is one transaction"); }
    std::vector<std::string> other_sessions(const std::string& application_name) override {
        return real().other_sessions(application_name);
    }
    std::optional<double> replication_lag() override { return real().replication_lag(); }

    Engine engine() const override { return m_target.engine(); }
    std::string name() const override { return m_target.name(); }
    std::string server_version() const override { return m_target.server_version(); }
    void require_writable() override { real().require_writable(); }
    std::string transaction_id() override { return real().transaction_id(); }
    void settle() override { real().settle(); }
    RowSet query(const SqlTemplate& sql, const Scope& scope) override { return real().query(sql, scope); }
    RowSet query(const std::string& sql, const std::vector<Value>& parameters) override {
        return real().query(sql, parameters);
    }
    void stream(const SqlTemplate& sql, std::size_t rows,
                const std::function<void(RowSet&&)>& piece) override {
        real().stream(sql, rows, piece);
    }
    void stream_change(const SqlTemplate& sql, std::size_t rows,
                       const std::function<void(RowSet&&)>& piece) override {
        real().stream_change(sql, rows, piece);
    }
    bool attempt(const std::function<bool()>& work) override { return real().attempt(work); }
    std::vector<Column> describe(const SqlTemplate& sql, const Scope& scope) override {
        return real().describe(sql, scope);
    }
    std::optional<std::vector<Column>> prepare(const SqlTemplate& sql, const Scope& scope) override {
        return real().prepare(sql, scope);
    }
    TableInfo table(const std::string& name) override { return real().table(name); }
    bool has_table(const std::string& name) override { return real().has_table(name); }
    TouchedTables touched() override { return real().touched(); }
    std::string lock_clause() const override { return m_target.lock_clause(); }
    std::string journal_obstacle() override { return real().journal_obstacle(); }
    void set_journal_schema(const std::string& schema) override { real().set_journal_schema(schema); }
    std::string journal_prefix() const override { return m_target.journal_prefix(); }
    void enforce_foreign_keys(bool on) override { real().enforce_foreign_keys(on); }

private:
    /// The target, as long as the one transaction is open: behind it a statement would change rows for good.
    Target& real() {
        if (m_over) throw std::logic_error("a statement after the end of a dry run");
        return m_target;
    }

    Target& m_target;
    bool m_over = false;
};

}  // namespace

std::unique_ptr<Target> rehearse(Target& target) {
    return std::make_unique<RehearsalTarget>(target);
}

}  // namespace datachange
