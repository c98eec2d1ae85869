#include "run/runner.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/failpoint.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "run/batch_runner.hpp"
#include "run/control.hpp"
#include "run/fence.hpp"
#include "run/guarded_listener.hpp"
#include "run/guards.hpp"
#include "run/owner.hpp"
#include "run/preflight.hpp"
#include "run/run_description.hpp"
#include "run/step_loop.hpp"
#include "run/undo_preflight.hpp"
#include "run/undo_state.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t milliseconds_since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

class Runner {
public:
    Runner(const Plan& plan, const RunParts& parts)
        : m_plan(plan),
          m_target(parts.target),
          m_journal(parts.journal),
          m_listener(parts.listener),
          m_parts(parts),
          m_fence(parts.dry_run ? std::nullopt
                                : std::optional<Fence>(std::in_place, parts.target, parts.timeouts)),
          m_transaction{plan, parts.target, m_journal, m_fence ? &*m_fence : nullptr, &m_encoder},
          m_control(parts.target, m_transaction.fence, m_journal, m_listener, parts.stop, parts.throttle),
          m_batches(m_transaction, m_control, parts.retries),
          m_loop(m_transaction, m_ready.steps, m_parts, m_batches, m_control, m_result) {
        m_target.set_timeouts(parts.timeouts);
    }

    RunResult run() {
        std::optional<JournalRun> unfinished;
        if (m_fence) {
            unfinished = to_continue(m_fence->runs(m_plan.definition.version),
                                     [&](const JournalRun& run) { return stalled(run, m_target); });
        }
        if (unfinished) return go_on(*unfinished, false);
        m_ready = check();
        const std::vector<std::uint64_t> planned = measure_all();
        m_mode = m_ready.skip_reason.empty() ? choose_mode(m_plan, planned) : Mode::single;
        m_approvals = admitted("", planned);
        begin(planned);
        return work(planned);
    }

    RunResult resume(const ResumeOptions& options) {
        std::optional<JournalRun> chosen;
        const std::vector<JournalRun> runs = m_fence->runs(m_plan.definition.version);
        for (const JournalRun& run : runs) {
            if (run.uuid == options.run) chosen = run;
        }
        if (chosen) require_not_undone(*chosen, runs);
        if (!chosen) return reenter(options);
        require_same_definition(m_plan, *chosen);
        if (chosen->active() && !options.take_over && !stalled(*chosen, m_target)) refuse_running(*chosen);
        require_resumable(*chosen, options.failed_rows);
        m_was_done = chosen->state == "done";
        m_parts.skip_failures = m_failed_rows = options.failed_rows;
        m_cancel = options.cancel;
        return go_on(*chosen, options.failed_rows);
    }

private:
    std::optional<JournalRun> to_continue(const std::vector<JournalRun>& runs,
                                          const std::function<bool(const JournalRun&)>& stalled) const {
        if (m_parts.undo) return undo_to_continue(m_plan, runs, stalled);
        const std::vector<Mark> marks = Marks(m_target).all();
        return run_to_continue(m_plan, runs, deciding_mark(m_plan.definition.version, runs, marks),
                               m_parts.again, stalled);
    }

    Preflight check() {
        return m_parts.undo ? check_undo(m_target, m_plan, *m_parts.undo) : check_plan(m_target, m_plan);
    }

    static void require_not_undone(const JournalRun& run, const std::vector<JournalRun>& runs) {
        const JournalRun* undo = undone_by(run, runs);
        if (undo == nullptr) undo = unfinished_undo(run, runs);
        if (undo == nullptr) return;
        throw Error(ExitCode::failed,
                    fmt::format("run {} is being undone, or was: run {} is {}", run.uuid.substr(0, 8),
                                undo->uuid.substr(0, 8), undo->state),
                    "Nothing more of it is to be done. Nothing was changed.");
    }

    static void require_resumable(const JournalRun& run, bool failed_rows) {
        const bool ended = run.state == "done" || run.state == "cancelled";
        if (!failed_rows && !ended) return;
        if (failed_rows && run.state == "done") return;
        const std::string id = run.uuid.substr(0, 8);
        if (failed_rows) {
            throw Error(ExitCode::failed, fmt::format("run {} is {}, not done", id, run.state),
                        run.state == "cancelled"
                            ? "Nothing was changed."
                            : "`datachange resume` goes on with it, failed rows included. "
                              "Nothing was changed.");
        }
        throw Error(ExitCode::failed, fmt::format("run {} has ended: {}", id, run.state),
                    run.state == "done"
                        ? "There is nothing left to do; `datachange retry` tries failed rows again."
                        : "`datachange run VERSION --again` runs the definition anew. Nothing was "
                          "changed.");
    }

    /// Whoever has to agree has done so, or nothing begins. @param planned empty: not known
    std::vector<UsedApproval> admitted(const std::string& run, const std::vector<std::uint64_t>& planned) {
        if (!m_parts.admit || m_cancel) return {};
        const std::string& version = m_plan.definition.version;
        return m_parts.admit({run, m_ready.skip_reason.empty() ? planned : std::vector<std::uint64_t>{},
                              UsedApprovals(m_target).all(version)});
    }

    /// A journal of an older tool lacks tables.
    void require_journal() {
        const bool complete = m_approvals.empty() || UsedApprovals(m_target).exists();
        if (!m_fence->exists() || !complete) m_fence->create();
    }

    /// The target does not know the run: it was restored to an earlier state, and what the ledger has as
    /// committed is lost; or it is another database, where nothing must be done.
    RunResult reenter(const ResumeOptions& options) {
        const std::string id = options.run.substr(0, 8);
        const std::int64_t epoch = m_journal.known_epoch(options.run);
        if (!options.restored || epoch == 0) {
            throw Error(ExitCode::failed, fmt::format("{} does not know of run {}", m_target.name(), id),
                        epoch == 0
                            ? "Nor does this ledger. Nothing was changed."
                            : "Is it the right database? If it was restored to a state before the run, "
                              "--restored runs all of it again, and keeps what was committed as 'lost'. "
                              "Nothing was changed.");
        }
        require_same_key(options.run);
        m_ready = check();
        m_approvals = admitted(options.run, {});
        m_mode = Mode::batched;
        RunHeader header = run_header(m_plan, m_target, m_parts, m_mode);
        header.uuid = options.run;
        header.epoch = epoch + 1;
        header.approvals = m_approvals;
        require_journal();
        enter(header, m_journal.ledger_uuid());
        return take_up(header, false);
    }

    /// A run that had stopped, from where it was.
    RunResult go_on(const JournalRun& run, bool failed_rows) {
        require_same_key(run.uuid);
        m_ready = check();
        m_approvals = admitted(run.uuid, {});
        require_journal();
        m_mode = run.mode == "single" ? Mode::single : Mode::batched;
        RunHeader header = run_header(m_plan, m_target, m_parts, m_mode);
        header.uuid = run.uuid;
        header.approvals = m_approvals;
        header.started_at = run.started_at;
        const FenceOwner owner = this->owner();
        const std::string ledger = m_journal.ledger_uuid();
        const std::int64_t least = m_journal.known_epoch(run.uuid) + 1;
        m_listener.run_started(m_plan.definition.version + " " + m_plan.definition.name, false);
        ask_who_has_it_done(header);
        m_batches.retrying([&] {
            header.epoch =
                m_fence->take_over(run, owner, ledger, least, m_batches.wait_notice(), m_approvals);
        });
        m_listener.waiting("");
        // whose turn it is not any more has it all the same: who takes it over next finds it so
        ask_who_has_it_done(header);
        m_taken = true;
        withdraw_pause(run.uuid);
        failpoint("resume.epoch");
        return take_up(header, failed_rows);
    }

    void ask_who_has_it_done(const RunHeader& header) {
        if (m_parts.entered && m_fence) m_parts.entered(m_target, header);
    }

    /// One value has one digest in all of a run. A run that is only ended has no more of them.
    void require_same_key(const std::string& uuid) {
        const std::string known = m_cancel ? "" : m_journal.known_redaction_key(uuid);
        if (known.empty() || known == m_parts.redaction_key) return;
        throw Error(ExitCode::usage,
                    fmt::format("run {} redacts under the key with the fingerprint {}, and this one is {}",
                                uuid.substr(0, 8), known, m_parts.redaction_key),
                    "Set DATACHANGE_REDACT_KEY to the key that the run began with. Nothing was changed.");
    }

    /// Who goes on with a run does not want it to stand still.
    void withdraw_pause(const std::string& uuid) {
        RunRequests requests = m_fence->requests(uuid);
        if (!requests.pause && !requests.cancel) return;
        requests.pause = requests.cancel = false;
        requests.by = m_parts.identity.operator_name;
        m_fence->request(uuid, requests);
    }

    /// The run is ours now: decides what is in doubt, then does what is left.
    RunResult take_up(const RunHeader& header, bool failed_rows) {
        Prior prior;
        try {
            m_result = new_result(m_plan, header, m_result.run);
            m_result.resumed = true;
            m_batches.retrying([&] { prior.journal = m_fence->batches(); });
            prior.evidence = m_journal.resume_run(header, step_headers(m_plan), prior.journal.batches);
            m_result.run = prior.evidence.run;
            prior.failures = m_journal.failures();
            failpoint("resume.decided");
            if (m_parts.undo) note_undo();
            const bool none_failed = prior.failures.empty();
            m_control.begin(header.uuid);
            m_loop.go_on(std::move(prior));
            if (failed_rows && none_failed) {
                throw Error(ExitCode::failed, "this ledger knows of no failed row of the run",
                            "Nothing was changed.");
            }
            if (!m_cancel) m_listener.run_taken(notice(RunEvent::start, "processing"));
        } catch (Error& error) {
            abandon(error);
            throw;
        }
        return work(std::vector<std::uint64_t>(m_plan.steps.size(), 0));
    }

    RunResult work(const std::vector<std::uint64_t>& planned) {
        try {
            if (!m_cancel) change(planned);
            finish(m_cancel ? "cancelled" : "done");
        } catch (Error& error) {
            abandon(error);
            throw;
        } catch (const std::exception& other) {
            Error error(ExitCode::failed, other.what());
            abandon(error);
            throw error;
        }
        m_result.duration_ms = milliseconds_since(m_start);
        return std::move(m_result);
    }

    /// The size of every step's set now, in one snapshot. The first step goes by it; later ones may see
    /// another one when they start.
    std::vector<std::uint64_t> measure_all() {
        std::vector<std::uint64_t> planned;
        if (m_parts.undo) {
            for (const ReadyStep& step : m_ready.steps) planned.push_back(step.undo_rows);
            return planned;
        }
        m_target.begin(Isolation::read_only);
        try {
            for (const ReadyStep& step : m_ready.steps) {
                if (step.plan->step.only_verifies()) {
                    planned.push_back(0);
                    continue;
                }
                const bool first = planned.empty();
                const SetSize size =
                    measure(m_target, step.source, first && step.plan->batching == Batching::range);
                if (first) m_loop.begin_with(size);
                const bool batched = wants_batches(m_plan, *step.plan, size.keys);
                require_sound_set(m_plan, step, size, batched && step.plan->batching == Batching::range);
                planned.push_back(size.keys);
            }
        } catch (...) {
            m_target.rollback();
            throw;
        }
        m_target.commit();
        return planned;
    }

    void begin(const std::vector<std::uint64_t>& planned) {
        if (m_mode == Mode::batched) require_planned(planned);
        RunHeader header = run_header(m_plan, m_target, m_parts, m_mode);
        header.approvals = m_approvals;
        m_result = new_result(m_plan, header, m_journal.begin_run(header));
        try {
            for (const StepHeader& step : step_headers(m_plan)) m_journal.begin_step(step);
            failpoint("run.begun");
            if (m_fence) take_version(header);
        } catch (Error& error) {
            abandon(error);
            throw;
        }
        failpoint("run.taken");
        if (m_parts.undo) note_undo();
        m_control.begin(header.uuid);
        for (std::size_t i = 0; i < planned.size() && i < m_result.steps.size(); ++i)
            m_result.steps[i].planned = planned[i];
        const Definition& definition = m_plan.definition;
        m_listener.run_started(definition.version + " " + definition.name, m_parts.dry_run);
        m_listener.run_taken(notice(RunEvent::start, "processing"));
    }

    /// For who goes on with it.
    void note_undo() {
        const UndoRun& undo = *m_parts.undo;
        m_journal.event(
            "undo", fmt::format("on-conflict {}{}{}", on_conflict_name(undo.on_conflict),
                                undo.partial ? ", partial" : "", undo.from_ledger ? ", from-ledger" : ""));
    }

    FenceOwner owner() const {
        return {m_parts.identity.owner, m_parts.identity.host, m_parts.identity.process, utc_now()};
    }

    void require_planned(const std::vector<std::uint64_t>& planned) {
        for (std::size_t i = 0; i < planned.size(); ++i) {
            const Step& step = m_plan.steps[i].step;
            if (!step.keys) require_expected(m_plan, step, planned[i], i > 0, "would change");
        }
    }

    void take_version(const RunHeader& header) {
        require_journal();
        enter(header, m_journal.ledger_uuid());
        // somebody may have finished the version between the first look and now
        std::vector<JournalRun> others = m_fence->runs(header.version);
        std::erase_if(others, [&](const JournalRun& run) { return run.uuid == header.uuid; });
        try {
            ask_who_has_it_done(header);
            if (to_continue(others, [](const JournalRun&) { return false; })) {
                throw Error(ExitCode::pending, "somebody else began to run the version just now, and stopped",
                            "Look at `datachange status`, then try again. Nothing was changed.");
            }
        } catch (...) {
            m_fence->withdraw();
            m_taken = false;
            throw;
        }
    }

    void enter(const RunHeader& header, const std::string& ledger) {
        m_fence->take({header.uuid, header.version, header.name, header.definition_sha256, header.mode,
                       header.operator_name, header.ticket, header.started_at, owner(), header.epoch},
                      ledger, header.approvals);
        m_taken = true;
    }

    void change(const std::vector<std::uint64_t>& planned) {
        if (!m_ready.skip_reason.empty()) {
            m_journal.event("skipped", m_ready.skip_reason);
            m_loop.warn("skipped: " + m_ready.skip_reason + ", and the definition says `on-missing: skip`");
            m_result.state = "skipped";
            return;
        }
        m_loop.look_for_conflicts();
        if (m_mode == Mode::single) {
            m_loop.run_in_one_transaction(planned);
        } else {
            m_loop.run_in_batches();
        }
    }

    /// The target is told last: as long as the evidence is not complete, the run counts as going on.
    void finish(const std::string& state) {
        m_loop.conclude();
        if (m_result.state.empty()) m_result.state = state;
        failpoint("run.finishing");
        const bool retryable = !m_result.failures.empty() && state == "done";  // then the set has to stay
        const std::vector<CsvPaths> csv = m_journal.finish({state, "", m_result.rows, retryable});
        for (std::size_t i = 0; i < csv.size() && i < m_result.steps.size(); ++i)
            m_result.steps[i].csv = csv[i];
        m_result.csv_directory = m_journal.csv_directory();
        if (m_parts.hash_identifiers) {
            for (StepResult& step : m_result.steps)
                step.identifiers_sha256 = m_journal.identifiers_sha256(step.number);
        }
        failpoint("run.recorded");
        if (m_fence) {
            m_batches.retrying([&] { m_fence->finish(state, m_plan.steps.size(), utc_now()); });
        }
        failpoint("run.finished");
        m_taken = false;
        tell_end(state);
        m_listener.run_ended();
    }

    RunNotice notice(RunEvent event, const std::string& state) const {
        RunNotice notice;
        notice.event = event;
        notice.state = state;
        notice.run = m_result.run;
        notice.uuid = m_result.uuid;
        notice.version = m_plan.definition.version;
        notice.name = m_plan.definition.name;
        notice.ticket = m_plan.definition.ticket;
        notice.reverses = m_result.reverses;
        notice.target = m_target.name();
        notice.dry_run = m_parts.dry_run;
        notice.resumed = m_result.resumed;
        notice.rows_changed = m_result.rows.changed() + m_result.rows_elsewhere;
        notice.rows_failed = m_result.failures.size();
        notice.duration_ms = milliseconds_since(m_start);
        notice.csv_directory = m_journal.csv_directory();
        return notice;
    }

    void tell_end(const std::string& state) {
        const bool cancelled = state == "cancelled";
        RunNotice end =
            notice(cancelled ? RunEvent::failed : RunEvent::done, cancelled ? state : m_result.state);
        if (cancelled) end.error = "the run was cancelled";
        // `retry` says so where rows have failed again
        if (m_failed_rows && !m_result.failures.empty()) end.exit_status = ExitCode::pending;
        m_listener.run_concluded(end);
    }

    void tell_end(const Error& error, const std::string& state) {
        const bool stopped = dynamic_cast<const Stopped*>(&error) != nullptr;
        RunNotice end = notice(stopped ? RunEvent::paused : RunEvent::failed, state);
        end.error = error.what();
        end.exit_status = error.code();
        m_listener.run_concluded(end);
    }

    /// After a failure: rolls back what is open, ends the run where that can still be done, and has the error
    /// say what was kept. The first error is the one that counts: others on the way are swallowed.
    void abandon(Error& error) noexcept {
        m_target.rollback();
        const bool kept =
            (m_result.batches > 0 || m_result.batches_elsewhere > 0) && !m_parts.dry_run && !m_was_done;
        const bool cancelled = dynamic_cast<Cancelled*>(&error) != nullptr;
        const bool stopped = dynamic_cast<Stopped*>(&error) != nullptr;
        const std::string state = m_was_done  ? "done"
                                  : cancelled ? "cancelled"
                                  : stopped   ? "stopped"
                                              : "failed";
        const bool taken_over = dynamic_cast<TakenOver*>(&error) != nullptr;
        const bool resumable = m_taken && !cancelled && !m_was_done && !taken_over;
        try {
            // the state of a run that goes on later is overwritten; that it had stopped, and why, is not
            if (resumable) m_journal.event(state, error.what());
            if (const auto* found = dynamic_cast<ConflictsFound*>(&error))
                m_journal.conflicts(found->conflicts());
            if (!m_approvals.empty() && !kept)
                m_journal.event("approvals", "given back: nothing was changed");
            m_journal.finish({state, error.what(), m_result.rows, resumable});
        } catch (const std::exception&) {
        }
        try {
            if (m_taken) m_fence->finish(state, m_plan.steps.size(), utc_now());
            if (m_taken && m_parts.admit && !kept && !m_was_done) m_fence->give_back_approvals();
        } catch (const std::exception&) {
        }
        try {
            explain(error, kept, resumable);
            if (!taken_over) tell_end(error, state);
            m_listener.run_ended();
        } catch (const std::exception&) {
        }
    }

    void explain(Error& error, bool kept, bool resumable) const {
        std::string hint = error.hint();
        const auto add = [&hint](const std::string& sentence) {
            hint += (hint.empty() ? "" : " ") + sentence;
        };
        if (dynamic_cast<const ConflictsFound*>(&error) != nullptr)
            add(fmt::format("All of them are in {}/.", m_journal.csv_directory()) +
                (kept ? "" : " Nothing was changed."));
        if (kept) {
            if (error.code() == ExitCode::failed || error.code() == ExitCode::unreachable)
                error.set_code(ExitCode::partial);
            add(fmt::format(
                "{} with {} committed before; their evidence is in the ledger (run {}) and in {}.",
                counted(m_result.batches, "batch"), counted(m_result.rows.changed(), "changed row"),
                m_result.run, m_journal.csv_directory()));
            if (resumable) add(fmt::format("`datachange resume {}` goes on.", m_result.run));
        } else if (hint.empty()) {
            add("The transaction was rolled back; nothing was changed.");
        }
        error.set_hint(hint);
    }

    const Plan& m_plan;
    Target& m_target;
    Journal& m_journal;
    GuardedListener m_listener;
    RunParts m_parts;
    const Clock::time_point m_start = Clock::now();
    std::optional<Fence> m_fence;  ///< none in a dry run
    bool m_taken = false;
    bool m_cancel = false;       ///< the run is only ended
    bool m_failed_rows = false;  ///< only these are tried again
    bool m_was_done = false;     ///< the run had ended, and only its failed rows are tried again
    Preflight m_ready;
    std::vector<UsedApproval> m_approvals;  ///< that this run uses up
    Mode m_mode = Mode::single;
    RunResult m_result;
    TaskThread m_encoder{1};
    TransactionParts m_transaction;
    Control m_control;
    BatchRunner m_batches;
    StepLoop m_loop;
};

}  // namespace

RunResult run_plan(const Plan& plan, const RunParts& parts) {
    return Runner(plan, parts).run();
}

RunResult resume_plan(const Plan& plan, const RunParts& parts, const ResumeOptions& resume) {
    return Runner(plan, parts).resume(resume);
}

}  // namespace datachange
