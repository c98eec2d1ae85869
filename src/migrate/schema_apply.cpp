#include "migrate/schema_apply.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/failpoint.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "migrate/schema_failure.hpp"
#include "migrate/schema_foreign_keys.hpp"
#include "migrate/schema_journal.hpp"
#include "migrate/schema_standing.hpp"
#include "migrate/schema_statements.hpp"
#include "run/backoff.hpp"
#include "run/error_class.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds retry_base{50}, retry_cap{5'000};
constexpr std::chrono::milliseconds reconnect_base{500}, reconnect_cap{30'000};
constexpr std::chrono::milliseconds look_every{100};  ///< for a stop, while waiting

class Application {
public:
    Application(Target& target, const SchemaFile& file, const SchemaWork& work)
        : m_target(target),
          m_file(file),
          m_work(work),
          m_journal(target),
          m_statements(schema_statements(file, target.engine())) {
        m_attempt = {new_uuid(), file.version, file.name, file.sha256, work.operator_name, work.owner};
        m_result.statements = m_statements.size();
    }

    SchemaResult run() {
        const Clock::time_point start = Clock::now();
        m_target.set_timeouts(m_work.timeouts);
        m_journal.require_table();
        m_file.transactional ? in_one_transaction() : one_by_one();
        m_result.duration_ms =
            std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
        return m_result;
    }

private:
    /// Looks what has become of the version. @return false if there is nothing to do (any more)
    bool look() {
        SchemaStanding standing = standing_of(m_target, m_file, m_attempt);
        m_former = std::move(standing.row);
        m_done = standing.done;
        m_interrupted = standing.interrupted;
        if (standing.to_do) {
            m_result.resumed_after = m_done;
        } else if (!standing.ours) {
            m_result.applied = false;
            m_result.by = standing.by;
        }
        return standing.to_do;
    }

    void require_not_stopped(const char* kept) const {
        if (m_work.stop == nullptr || !m_work.stop->requested()) return;
        throw Error(ExitCode::pending, fmt::format("schema migration {} was asked to stop", m_file.version),
                    kept)
            .at(m_file.path);
    }

    void notice(const std::string& text) const {
        if (m_work.notice) m_work.notice(text);
    }

    // --- in one transaction

    void in_one_transaction() {
        SchemaForeignKeys foreign_keys(m_target);
        for (unsigned tries = 1;;) {
            require_not_stopped("Nothing of it was applied.");
            try {
                if (!look()) return;
                const Step step = try_once(foreign_keys);
                if (step == Step::done) return;
                if (step == Step::in_doubt && tries++ > m_work.retries) give_up_in_doubt();
            } catch (const DatabaseError& error) {
                m_target.rollback();
                if (!may_pass(error) || tries > m_work.retries) fail(error);
                wait_for(error, tries++);
            } catch (...) {
                m_target.rollback();
                throw;
            }
        }
    }

    [[noreturn]] void give_up_in_doubt() const {
        throw Error(ExitCode::pending,
                    fmt::format("COMMIT of schema migration {} was not answered", m_file.version),
                    "`datachange status` tells what has become of it; `datachange migrate` goes on.")
            .at(m_file.path);
    }

    enum class Step { done, waited, in_doubt };

    Step try_once(SchemaForeignKeys& foreign_keys) {
        m_at = nullptr;
        if (!take_in_transaction()) return Step::waited;
        failpoint("schema.begun");
        const std::string transaction = m_target.transaction_id();
        const bool checks = std::any_of(m_statements.begin(), m_statements.end(),
                                        [](const SchemaStatement& each) { return !each.keeps_foreign_keys; });
        if (checks) foreign_keys.count();
        for (std::size_t i = m_done; i < m_statements.size(); ++i) execute(i);
        m_at = nullptr;
        for (const SchemaStatement& each : m_statements) {
            if (!each.taken_back_by.empty()) m_target.query(each.taken_back_by);
        }
        if (checks) foreign_keys.require_none_new();
        require_same_transaction(transaction);
        m_journal.end(m_attempt, "done", m_statements.size());
        failpoint("schema.executed");
        const CommitResult commit = m_target.commit();
        failpoint("schema.committed");
        if (commit.outcome == Outcome::committed) return Step::done;
        if (commit.outcome == Outcome::in_doubt) {
            // the next look decides: whoever takes the version waits for a COMMIT that is still in flight
            notice("the answer to COMMIT did not come; looking what has become of it");
            reconnect();
            return Step::in_doubt;
        }
        throw DatabaseError(ExitCode::failed, commit.message, commit.sqlstate, "COMMIT");
    }

    /// Opens the transaction with the journal's row in it. @return false if somebody else had it and has
    /// ended
    bool take_in_transaction() {
        try {
            m_target.begin(Isolation::read_committed);
            if (m_journal.take(m_attempt, m_former, m_done)) return true;
            m_target.rollback();
            return false;
        } catch (const DatabaseError& error) {
            m_target.rollback();
            if (is_duplicate_key(error.sqlstate())) return false;
            if (classify(error.sqlstate()) != ErrorClass::transient) throw;
            notice("waiting for somebody else who applies it: " + first_line(error));
            pause(retry_base);
            return false;
        }
    }

    void require_same_transaction(const std::string& transaction) const {
        if (m_target.transaction_id() == transaction) return;
        throw Error(
            ExitCode::mismatch,
            fmt::format("something in {} ended the transaction, so part of it may be committed", m_file.path),
            "A procedure or function that commits has no place in it. Look at the target before anything "
            "else.");
    }

    // --- one by one

    void one_by_one() {
        while (look()) {
            require_not_stopped("Nothing more of it was applied.");
            try {
                if (!m_journal.take(m_attempt, m_former, m_done)) continue;
            } catch (const DatabaseError& error) {
                if (is_duplicate_key(error.sqlstate())) continue;
                throw;
            }
            failpoint("schema.begun");
            execute_the_rest();
            return;
        }
    }

    void execute_the_rest() {
        try {
            while (m_done < m_statements.size()) {
                if (m_work.stop != nullptr && m_work.stop->requested()) return stop();
                execute(m_done);
                failpoint("schema.statement");
                m_journal.count(m_attempt, m_done + 1);
                ++m_done;
                m_interrupted = false;
                failpoint("schema.counted");
            }
            m_at = nullptr;
            m_journal.end(m_attempt, "done", m_done);
        } catch (const DatabaseError& error) {
            leave_failed(error);
            fail(error);
        }
    }

    void stop() {
        m_journal.end(m_attempt, "stopped", m_done, "stopped from outside");
        throw Error(ExitCode::pending,
                    fmt::format("schema migration {} was stopped after {} of {}", m_file.version, m_done,
                                counted(m_statements.size(), "statement")),
                    "`datachange migrate` goes on with the next one.")
            .at(m_file.path);
    }

    /// As far as the target can be reached; where not, the row says 'processing', and shows as stalled.
    void leave_failed(const DatabaseError& error) {
        try {
            if (m_target.lost()) m_target.reconnect();
            m_journal.end(m_attempt, "failed", m_done, first_line(error));
        } catch (const Error&) {
        }
    }

    // --- both

    void execute(std::size_t i) {
        const SchemaStatement& statement = m_statements[i];
        m_at = &statement;
        m_target.query(statement.sql);
    }

    static std::string first_line(const DatabaseError& error) { return split(error.what(), '\n').front(); }

    bool may_pass(const DatabaseError& error) const {
        const ErrorClass what = classify(error.sqlstate());
        return what == ErrorClass::serialization || what == ErrorClass::transient || m_target.lost();
    }

    void reconnect() {
        for (unsigned tries = 1;; ++tries) {
            try {
                m_target.reconnect();
                return;
            } catch (const Error&) {
                if (tries > m_work.retries) throw;
                pause(m_backoff.before_retry(tries, reconnect_base, reconnect_cap));
            }
        }
    }

    void wait_for(const DatabaseError& error, unsigned tries) {
        const bool lost = m_target.lost();
        const auto time = lost ? m_backoff.before_retry(tries, reconnect_base, reconnect_cap)
                               : m_backoff.before_retry(tries, retry_base, retry_cap);
        notice(fmt::format("trying again in {:.1f} s: {}", std::chrono::duration<double>(time).count(),
                           first_line(error)));
        pause(time);
        if (lost) reconnect();
    }

    void pause(std::chrono::milliseconds time) const {
        const Clock::time_point end = Clock::now() + time;
        while (Clock::now() < end) {
            require_not_stopped("Nothing of it was applied.");
            std::this_thread::sleep_for(std::min(look_every, time));
        }
    }

    [[noreturn]] void fail(const DatabaseError& error) const {
        const bool stopped = m_work.stop != nullptr && m_work.stop->at_once() &&
                             classify(error.sqlstate()) == ErrorClass::too_long;
        const std::size_t number =
            m_at == nullptr ? 0 : static_cast<std::size_t>(m_at - m_statements.data()) + 1;
        throw schema_error(error, {m_file, m_statements.size(), m_done, m_at, number, m_interrupted,
                                   m_target.lost(), stopped});
    }

    Target& m_target;
    const SchemaFile& m_file;
    const SchemaWork& m_work;
    SchemaJournal m_journal;
    std::vector<SchemaStatement> m_statements;
    SchemaAttempt m_attempt;
    std::optional<SchemaRow> m_former;
    std::size_t m_done = 0;      ///< statements that are done
    bool m_interrupted = false;  ///< the next one was in hand when an attempt was cut off
    const SchemaStatement* m_at = nullptr;
    Backoff m_backoff;
    SchemaResult m_result;
};

}  // namespace

SchemaResult apply_schema_file(Target& target, const SchemaFile& file, const SchemaWork& work) {
    return Application(target, file, work).run();
}

}  // namespace datachange
