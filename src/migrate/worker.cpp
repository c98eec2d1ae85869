#include "migrate/worker.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>
#include <unistd.h>

#include "core/failpoint.hpp"
#include "core/hash.hpp"
#include "core/process.hpp"
#include "migrate/attempt.hpp"
#include "migrate/examination.hpp"
#include "migrate/heartbeat.hpp"
#include "run/backoff.hpp"
#include "run/control.hpp"
#include "run/error_class.hpp"

namespace datachange {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds first_reconnect = 500ms;
constexpr milliseconds longest_reconnect = 30s;
constexpr auto told_again_after = 1min;
constexpr unsigned reconnects_once = 5;  // of a worker that is to end by itself

/// What stands behind a worker that nobody hears any more: if that changes, somebody is at work all the same.
struct Silence {
    std::string item, heartbeat_at, run_uuid;
    std::int64_t claim = 0;
    std::uint64_t batches = 0;
    Clock::time_point since;

    bool same(const QueueItem& other) const {
        return item == other.id && claim == other.claim && heartbeat_at == other.heartbeat_at &&
               run_uuid == other.run_uuid && batches == other.batches;
    }
};

class Worker {
public:
    Worker(const WorkerOptions& options, const WorkerParts& parts)
        : m_options(options), m_parts(parts), m_target(parts.connect()) {
        m_self.host = host_name();
        m_self.process = ::getpid();
        m_self.name = fmt::format("{} process {} ({})", m_self.host, m_self.process, new_uuid().substr(0, 8));
        m_self.timeout = options.worker_timeout;
        m_target->require_writable();
    }

    WorkEnd work() {
        while (!m_end && !m_parts.stop.requested()) {
            try {
                turn();
                m_lost_tries = 0;
                m_told_lost.reset();
            } catch (const Error& error) {
                recover(error);
            }
        }
        return m_end.value_or(WorkEnd::idle);
    }

private:
    /// Does something on the target of the queue, however long that is away.
    template <typename Work>
    auto patiently(Work&& work) {
        for (;;) {
            try {
                return work();
            } catch (const Error& error) {
                recover(error);
            }
        }
    }

    /// Looks at the head once, and does what is to be done.
    void turn() {
        Queue queue(*m_target);
        const std::optional<QueueItem> head = queue.head();
        if (!head && m_options.once) {
            m_end = WorkEnd::idle;
            return;
        }
        if (!head) return wait(m_options.poll_interval);
        if (head->state == "failed") return at_failed(queue, *head);
        const bool waits = head->state == "pending" && head->due_in > 0ms;
        if (waits) return wait(std::min(head->due_in + 1ms, m_options.poll_interval));
        if (head->state == "processing" && !gone(*head)) return wait(m_options.poll_interval);
        const auto taken = queue.take(
            *head, m_self, [&](const QueueItem& item) { return item.state != "processing" || gone(item); });
        if (!taken) return;
        failpoint("queue.taken");
        if (head->state == "processing")
            tell("{}: nobody hears of {} any more; it is gone on with here", titled(*head), head->worker);
        do_item(*taken);
    }

    void at_failed(Queue& queue, const QueueItem& head) {
        const VersionState state = examination().state_now(head);
        if (state.state == "done" || state.state == "marked") {
            if (queue.done_meanwhile(head)) tell("{}: {} meanwhile", titled(head), state.state);
            return;
        }
        if (m_options.once) throw blocked(head, "has failed", newest_error(head));
        const std::string this_failure = fmt::format("{} {}", head.id, head.claim);
        if (m_told_blocked != this_failure)
            tell("{} has failed, and those behind it wait: {}", titled(head), way_out(head));
        m_told_blocked = this_failure;
        wait(m_options.poll_interval);
    }

    static std::string way_out(const QueueItem& item) {
        return fmt::format(
            "`datachange queue --retry {0}` has it tried again, `datachange mark {0} done --reason ...` or "
            "`datachange "
            "queue --remove {0}` lets those behind it pass",
            item.version);
    }

    static Error blocked(const QueueItem& item, const std::string& how, const std::string& why) {
        return {
            ExitCode::pending,
            fmt::format("the head of the queue, {}, {}{}", titled(item), how, why.empty() ? "" : ": " + why),
            way_out(item) + "."};
    }

    Examination examination() { return {*m_target, m_parts.dir, m_parts.group}; }

    // --- one item

    void do_item(const QueueItem& item) {
        tell("{}: begins{}{}", titled(item),
             item.attempts == 0 ? "" : fmt::format(", attempt {}", item.attempts + 1),
             item.run_uuid.empty() ? "" : fmt::format(", run {} before", item.run_uuid.substr(0, 8)));
        StopRequest run(m_parts.stop);
        Attempt attempt;
        {
            const Heartbeat heartbeat(m_parts.connect, item, run);
            attempt = try_item(item, run);
            failpoint("queue.executed");
            if (!attempt.taken) attempt.taken = !settle(item, attempt);
        }
        follow(item, attempt);
    }

    Attempt try_item(const QueueItem& item, StopRequest& run) {
        try {
            const Examined examined = patiently([&] { return examination().of(item); });
            if (examined.outcome) return *examined.outcome;
            m_parts.execute(examined.path, examined.resume, entered(item), run);
            return done();
        } catch (const Error& error) {
            return judged(item, error, run);
        } catch (const std::exception& error) {
            return failed(error.what());
        }
    }

    /// Of two workers that have taken an item one after the other, the later one finds the run of the earlier
    /// one in the journal, or the earlier one finds the claim of the later one here.
    std::function<void(Target&, const std::string&, const std::string&)> entered(
        const QueueItem& item) const {
        return [&item](Target& target, const std::string& uuid, const std::string& sha256) {
            if (sha256 != item.definition_sha256)
                throw Error(ExitCode::usage, edited_text(item), "Nothing was changed.");
            if (!Queue(target).note_run(item, uuid)) throw taken_over_error();
        };
    }

    // --- what an error means

    Attempt judged(const QueueItem& item, const Error& error, const StopRequest& run) {
        const bool stopped = dynamic_cast<const Stopped*>(&error) != nullptr;
        if (m_parts.stop.requested() && (stopped || run.at_once())) return interrupted();
        if (!may_pass(error)) return outcome_of(error);
        const bool last = item.attempts + 1 >= m_options.max_attempts;
        return failed_attempt(error, last, delay_after(item.attempts + 1));
    }

    milliseconds delay_after(std::uint64_t failures) {
        milliseconds delay = std::min(m_options.retry_delay, longest_retry_delay);
        for (std::uint64_t i = 1; i < failures && delay < longest_retry_delay; ++i)
            delay = std::min(delay * 2, longest_retry_delay);
        return delay / 2 + m_backoff.before_retry(1, delay / 2, delay / 2);
    }

    /// Writes down what has become of an item, and waits for that as long as it takes.
    /// @return false if somebody else has it now
    bool settle(const QueueItem& item, Attempt& attempt) {
        if (attempt.held) attempt.delay = std::min(m_options.retry_delay, m_options.poll_interval);
        return patiently([&] { return Queue(*m_target).settle(item, attempt); });
    }

    void follow(const QueueItem& item, const Attempt& attempt) {
        if (attempt.taken) {
            tell("{}: somebody else has taken it, nothing more of it is done here", titled(item));
            return;
        }
        const std::string how = attempt.interrupted ? "stopped, to be gone on with" : attempt.state;
        const std::string when =
            attempt.state == "pending"
                ? fmt::format(", again in {:.1f} s", std::chrono::duration<double>(attempt.delay).count())
                : "";
        tell("{}: {}{}{}", titled(item), how, when, attempt.error.empty() ? "" : ": " + attempt.error);
        if (attempt.interrupted) m_end = WorkEnd::interrupted;
        m_held_in_a_row = attempt.held ? m_held_in_a_row + 1 : 0;
        if (m_options.once && m_held_in_a_row >= m_options.max_attempts)
            throw blocked(item, "waits", attempt.error);
    }

    // --- others

    /// Whether nobody works on an item that is in processing.
    bool gone(const QueueItem& item) {
        if (item.worker == m_self.name) return true;  // a claim whose answer was lost
        if (!worker_gone(item)) return false;
        const bool certain = process_gone(item.host, item.process, item.claimed_at);
        if (certain || m_target->engine() == Engine::postgresql) return true;
        // while a batch is written to a SQLite file, no heartbeat can be
        if (!m_silence || !m_silence->same(item)) {
            m_silence =
                Silence{item.id, item.heartbeat_at, item.run_uuid, item.claim, item.batches, Clock::now()};
        }
        return Clock::now() - m_silence->since >= item.worker_timeout / 2;
    }

    // --- waiting, and a target that is lost

    void wait(milliseconds duration) { m_parts.stop.wait(duration); }

    /// After an error of the queue itself. @throws it if waiting would not help
    void recover(const Error& error) {
        m_target->rollback();
        const auto* database = dynamic_cast<const DatabaseError*>(&error);
        const ErrorClass kind = database != nullptr ? classify(database->sqlstate()) : ErrorClass::other;
        const bool away =
            m_target->lost() || error.code() == ExitCode::unreachable || kind == ErrorClass::connection;
        const bool passes = kind == ErrorClass::transient || kind == ErrorClass::serialization;
        if ((!away && !passes) || m_parts.stop.requested()) throw;
        if (m_options.once && ++m_lost_tries > reconnects_once) throw;
        if (!m_options.once) ++m_lost_tries;
        if (!m_told_lost || Clock::now() - *m_told_lost >= told_again_after) {
            tell("the queue cannot be reached, it is tried again: {}", error_text(error));
            m_told_lost = Clock::now();
        }
        wait(m_backoff.before_retry(std::min(m_lost_tries, 10U), first_reconnect, longest_reconnect) + 10ms);
        if (away) reconnect();
    }

    void reconnect() {
        try {
            m_target->reconnect();
        } catch (const Error&) {
            // still away: whoever uses it next finds out, and comes back here
        }
    }

    template <typename... Parts>
    void tell(fmt::format_string<Parts...> text, Parts&&... parts) const {
        m_parts.tell(fmt::format(text, std::forward<Parts>(parts)...));
    }

    const WorkerOptions& m_options;
    const WorkerParts& m_parts;
    std::unique_ptr<Target> m_target;
    QueueWorker m_self;
    Backoff m_backoff;
    std::optional<WorkEnd> m_end;
    std::optional<Silence> m_silence;
    std::string m_told_blocked;
    std::optional<Clock::time_point> m_told_lost;
    unsigned m_lost_tries = 0;
    unsigned m_held_in_a_row = 0;
};

}  // namespace

bool worker_gone(const QueueItem& item) {
    if (item.state != "processing") return false;
    return process_gone(item.host, item.process, item.claimed_at) || item.silent_for > item.worker_timeout;
}

WorkEnd work_on_queue(const WorkerOptions& options, const WorkerParts& parts) {
    return Worker(options, parts).work();
}

}  // namespace datachange
