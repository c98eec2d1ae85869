#include "run/batch_runner.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "run/error_class.hpp"
#include "run/owner.hpp"

namespace datachange {

namespace {

using namespace std::chrono_literals;

/// Waits before the first retry, and at most before any. A server that starts again takes its time.
struct Patience {
    std::chrono::milliseconds base, cap;
};
constexpr Patience for_connections{500ms, 30s};
constexpr Patience for_conflicts{50ms, 5s};

std::string seconds_text(std::chrono::milliseconds duration) {
    return fmt::format("{:.2f} s", static_cast<double>(duration.count()) / 1000.0);
}

/// The first line of what the server said.
std::string short_message(const Error& error) {
    return split(error.what(), '\n').front();
}

std::string batch_text(const std::vector<Unit>& units) {
    if (units.empty()) return "a query";
    return fmt::format("step {} batch {}", units.front().step->plan->step.number, units.front().batch);
}

bool worth_a_retry(ErrorClass error) {
    return error == ErrorClass::serialization || error == ErrorClass::transient ||
           error == ErrorClass::connection;
}

}  // namespace

BatchRunner::BatchRunner(const TransactionParts& parts, Control& control, unsigned retries)
    : m_parts(parts), m_control(control), m_retries(parts.fence ? retries : 0) {
}

std::vector<UnitResult> BatchRunner::run(const std::vector<Unit>& units) {
    for (Attempt attempt;;) {
        try {
            TriedTransaction tried = run_transaction(m_parts, units, attempt);
            if (tried.commit.outcome == Outcome::in_doubt) decide(tried);
            if (tried.commit.outcome == Outcome::committed) return std::move(tried.results);
            throw DatabaseError(ExitCode::failed, "COMMIT was refused: " + tried.commit.message,
                                tried.commit.sqlstate, "COMMIT", "The batch was rolled back.");
        } catch (const RequestPending& pending) {
            m_parts.target.rollback();
            retrying([&] { m_control.obey(pending.requests); });
        } catch (const UnexpectedRows& unexpected) {
            m_parts.target.rollback();
            if (attempt.isolation != Isolation::read_committed) throw;
            // somebody put rows into the set after its rows were locked
            prepare_retry(DatabaseError(ExitCode::failed, unexpected.what(), "40001", "", unexpected.hint()),
                          attempt, units);
        } catch (const DatabaseError& error) {
            m_parts.target.rollback();
            prepare_retry(error, attempt, units);
        } catch (...) {
            m_parts.target.rollback();
            throw;
        }
    }
}

void BatchRunner::read_only(const std::function<void()>& work) {
    retrying([&] {
        m_parts.target.begin(Isolation::read_only);
        work();
        m_parts.target.commit();
    });
}

void BatchRunner::retrying(const std::function<void()>& work) {
    for (Attempt attempt;;) {
        try {
            return work();
        } catch (const DatabaseError& error) {
            m_parts.target.rollback();
            prepare_retry(error, attempt, {});
        } catch (...) {
            m_parts.target.rollback();
            throw;
        }
    }
}

/// Waits for the next try, in a session that lives. @throws the error if there is to be none.
void BatchRunner::prepare_retry(const DatabaseError& error, Attempt& attempt,
                                const std::vector<Unit>& units) {
    if (m_parts.fence) m_control.require_not_stopped();  // an error may be the stop's own doing
    const bool lost = m_parts.target.lost();
    const ErrorClass kind = lost ? ErrorClass::connection : classify(error.sqlstate());
    if (!worth_a_retry(kind) || attempt.number > static_cast<int>(m_retries)) throw DatabaseError(error);

    const Patience patience = kind == ErrorClass::connection ? for_connections : for_conflicts;
    const auto pause =
        m_backoff.before_retry(static_cast<unsigned>(attempt.number), patience.base, patience.cap);
    ++attempt.number;
    const std::string why =
        short_message(error) + (error.sqlstate().empty() ? "" : " (" + error.sqlstate() + ")");
    m_parts.journal.event("retry", fmt::format("{}, try {}: {}", batch_text(units), attempt.number, why));
    m_control.listener().waiting(fmt::format("trying again in {}: {}", seconds_text(pause), why));
    m_control.wait(pause);
    if (lost) reconnect(attempt);
    m_control.listener().waiting("");
    // the snapshot of REPEATABLE READ would lose against a busy writer again and again; locked rows cannot
    const bool lock = kind == ErrorClass::serialization && attempt.isolation == Isolation::repeatable_read;
    attempt.isolation = lock && can_lock(units) ? Isolation::read_committed : Isolation::repeatable_read;
}

bool BatchRunner::can_lock(const std::vector<Unit>& units) const {
    return std::all_of(units.begin(), units.end(), [](const Unit& unit) {
        return unit.slice != nullptr || unit.step->plan->step.only_verifies() ||
               !unit.step->capture.table_key.empty();
    });
}

void BatchRunner::reconnect(Attempt& attempt) {
    for (;;) {
        try {
            m_parts.target.reconnect();
            m_parts.target.require_writable();
            return;
        } catch (const Error& error) {
            if (attempt.number > static_cast<int>(m_retries)) throw;
            const auto pause = m_backoff.before_retry(static_cast<unsigned>(attempt.number),
                                                      for_connections.base, for_connections.cap);
            ++attempt.number;
            m_control.listener().waiting(
                fmt::format("trying again in {}: {}", seconds_text(pause), short_message(error)));
            m_control.wait(pause);
        }
    }
}

/// Asks the journal in the target what became of a COMMIT that was not answered. Raising the epoch waits
/// until the server has ended it; before that, the journal's silence means nothing.
void BatchRunner::decide(TriedTransaction& tried) {
    const std::string why = tried.commit.message;
    m_parts.journal.event("in doubt", "COMMIT was not answered: " + why);
    try {
        if (m_parts.target.lost()) {
            Attempt attempt;
            reconnect(attempt);
        }
        m_parts.fence->raise_epoch(wait_notice());
        const bool committed = tried.batches.empty() || m_parts.fence->has_batch(tried.batches.front());
        tried.commit.outcome = committed ? Outcome::committed : Outcome::rolled_back;
        // a batch that was rolled back by a lost connection is tried again
        if (!committed && tried.commit.sqlstate.empty()) tried.commit.sqlstate = "08006";
    } catch (const Stopped&) {
        throw;
    } catch (const Error& error) {
        throw Error(
            ExitCode::pending,
            fmt::format("the outcome of a COMMIT is not known ({}), and the target cannot be asked: {}", why,
                        error.what()),
            "The batch stands as 'unknown' in the ledger, and is decided when the run goes on.");
    }
    if (!tried.batches.empty()) m_parts.journal.settle(tried.commit.outcome, tried.batches);
    m_parts.journal.event("decided", tried.commit.outcome == Outcome::committed
                                         ? "the journal in the target has the batch: committed"
                                         : "the journal in the target has no such batch: rolled back");
}

std::function<void()> BatchRunner::wait_notice() {
    return [this] {
        const std::vector<std::string> sessions =
            m_parts.target.other_sessions(session_name(m_parts.plan.definition.version));
        m_control.listener().waiting("for a transaction of this run that has not ended" +
                                     (sessions.empty() ? "" : ": " + join(sessions, "; ")));
        m_control.require_not_stopped();
    };
}

}  // namespace datachange
