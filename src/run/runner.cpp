#include "run/runner.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "run/guards.hpp"
#include "run/step_loop.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t milliseconds_since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

/// Decoration must not end a run: what a listener throws is dropped.
class GuardedListener : public Listener {
public:
    explicit GuardedListener(Listener& listener) : m_listener(listener) {}

    void run_started(const std::string& title, bool dry_run) override {
        guarded([&] { m_listener.run_started(title, dry_run); });
    }
    void step_started(int step, const std::string& name, std::uint64_t planned_rows, bool batched) override {
        guarded([&] { m_listener.step_started(step, name, planned_rows, batched); });
    }
    void batch_done(int step, const std::string& batch, std::uint64_t rows) override {
        guarded([&] { m_listener.batch_done(step, batch, rows); });
    }
    void warning(const std::string& text) override {
        guarded([&] { m_listener.warning(text); });
    }
    void run_ended() override {
        guarded([&] { m_listener.run_ended(); });
    }

private:
    template <typename Call>
    static void guarded(Call&& call) noexcept {
        try {
            call();
        } catch (...) {  // NOLINT(bugprone-empty-catch): see above
        }
    }

    Listener& m_listener;
};

class Runner {
public:
    Runner(const Plan& plan, const RunParts& parts)
        : m_plan(plan),
          m_target(parts.target),
          m_journal(parts.journal),
          m_listener(parts.listener),
          m_parts(parts),
          m_fence(parts.dry_run ? std::nullopt : std::optional<Fence>(std::in_place, parts.target)),
          m_loop({plan, parts.target, parts.journal, m_fence ? &*m_fence : nullptr}, m_ready.steps, parts,
                 m_result) {}

    RunResult run() {
        const Clock::time_point start = Clock::now();
        if (m_fence) require_runnable(m_plan, m_fence->runs(m_plan.definition.version), m_parts.again);
        m_ready = check_plan(m_target, m_plan);
        const std::vector<std::uint64_t> planned = measure_all();
        m_mode = m_ready.skip_reason.empty() ? choose_mode(m_plan, planned) : Mode::single;
        begin(planned);
        try {
            change(planned);
            finish("done");
        } catch (Error& error) {
            abandon(error);
            throw;
        } catch (const std::exception& other) {
            Error error(ExitCode::failed, other.what());
            abandon(error);
            throw error;
        }
        m_result.duration_ms = milliseconds_since(start);
        return std::move(m_result);
    }

private:
    /// The size of every step's set now, in one snapshot; later steps may see another one when they start.
    std::vector<std::uint64_t> measure_all() {
        std::vector<std::uint64_t> planned;
        m_target.begin(Isolation::read_only);
        try {
            for (const ReadyStep& step : m_ready.steps) {
                if (step.plan->step.only_verifies()) {
                    planned.push_back(0);
                    continue;
                }
                const SetSize size = measure(m_target, step.source, false);
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
        const Definition& definition = m_plan.definition;
        if (m_mode == Mode::batched) require_planned(planned);
        RunHeader header;
        header.uuid = new_uuid();
        header.version = definition.version;
        header.name = definition.name;
        header.definition = definition.text;
        header.definition_sha256 = definition.sha256;
        header.definition_path = definition.path;
        header.engine = m_target.engine();
        header.target = m_target.name();
        header.operator_name = m_parts.identity.operator_name;
        header.host = m_parts.identity.host;
        header.ticket = definition.ticket;
        header.author = definition.author;
        header.tool_version = m_parts.identity.tool_version;
        header.server_version = m_target.server_version();
        header.mode = mode_name(m_mode);
        header.dry_run = m_parts.dry_run;
        header.started_at = utc_now();
        m_result.run = m_journal.begin_run(header);
        try {
            begin_steps();
            if (m_fence) take_version(header);
        } catch (Error& error) {
            abandon(error);
            throw;
        }
        describe_result(header);
        m_listener.run_started(definition.version + " " + definition.name, m_parts.dry_run);
        if (!definition.targets.empty()) {
            m_loop.warn(fmt::format(
                "the header says `targets: {}`, and whether this target is one of them is not checked",
                join(definition.targets, ", ")));
        }
    }

    void require_planned(const std::vector<std::uint64_t>& planned) {
        for (std::size_t i = 0; i < planned.size(); ++i) {
            const Step& step = m_plan.steps[i].step;
            if (!step.keys) require_expected(m_plan, step, planned[i], i > 0, "would change");
        }
    }

    void begin_steps() {
        const auto count = static_cast<int>(m_plan.steps.size());
        int number = count;
        std::vector<StepHeader> watches;
        for (const StepPlan& plan : m_plan.steps) {
            const Step& step = plan.step;
            m_journal.begin_step({step.number, 0, step.name, step.table, step.identifier, evidence_of(step)});
            for (const Watch& watch : step.watches) {
                watches.push_back(
                    {++number, step.number, "watch_" + watch.table, watch.table, watch.identifier, "full"});
            }
        }
        for (const StepHeader& watch : watches) m_journal.begin_step(watch);
    }

    static std::string evidence_of(const Step& step) {
        switch (step.evidence) {
            case EvidenceLevel::full:
                return "full";
            case EvidenceLevel::keys:
                return "keys";
            case EvidenceLevel::counts:
                return "counts";
        }
        return "full";
    }

    void take_version(const RunHeader& header) {
        if (!m_fence->exists()) m_fence->create();
        m_fence->take({header.uuid, header.version, header.name, header.definition_sha256,
                       m_parts.identity.owner, header.operator_name, header.ticket, header.started_at});
        m_taken = true;
        // somebody may have finished the version between the first look and now
        std::vector<JournalRun> others = m_fence->runs(header.version);
        std::erase_if(others, [&](const JournalRun& run) { return run.uuid == header.uuid; });
        try {
            require_runnable(m_plan, others, m_parts.again);
        } catch (...) {
            m_fence->withdraw();
            m_taken = false;
            throw;
        }
    }

    void describe_result(const RunHeader& header) {
        m_result.uuid = header.uuid;
        m_result.version = header.version;
        m_result.name = header.name;
        m_result.engine = header.engine;
        m_result.target = header.target;
        m_result.mode = header.mode;
        m_result.dry_run = header.dry_run;
        for (const StepPlan& plan : m_plan.steps) {
            StepResult step;
            step.number = plan.step.number;
            step.name = plan.step.name;
            step.table = plan.step.table;
            step.only_verified = plan.step.only_verifies();
            m_result.steps.push_back(std::move(step));
        }
        for (const StepPlan& plan : m_plan.steps) {
            for (const Watch& watch : plan.step.watches) {
                StepResult step;
                step.number = static_cast<int>(m_result.steps.size()) + 1;
                step.watch_of = plan.step.number;
                step.table = watch.table;
                m_result.steps.push_back(std::move(step));
            }
        }
    }

    void change(const std::vector<std::uint64_t>& planned) {
        if (!m_ready.skip_reason.empty()) {
            m_journal.event("skipped", m_ready.skip_reason);
            m_loop.warn("skipped: " + m_ready.skip_reason + ", and the definition says `on-missing: skip`");
            m_result.state = "skipped";
            return;
        }
        if (m_mode == Mode::single) {
            m_loop.run_in_one_transaction(planned);
        } else {
            m_loop.run_in_batches();
        }
    }

    void finish(const std::string& state) {
        m_loop.conclude();
        if (m_result.state.empty()) m_result.state = state;
        if (m_fence) m_fence->finish(state, m_result.rows.changed(), utc_now());
        m_taken = false;
        const std::vector<CsvPaths> csv = m_journal.finish({state, "", m_result.rows});
        for (std::size_t i = 0; i < csv.size() && i < m_result.steps.size(); ++i)
            m_result.steps[i].csv = csv[i];
        m_result.csv_directory = m_journal.csv_directory();
        m_listener.run_ended();
    }

    /// After a failure: rolls back what is open, ends the run where that can still be done, and has the error
    /// say what was kept. The first error is the one that counts: others on the way are swallowed.
    void abandon(Error& error) noexcept {
        m_target.rollback();
        m_journal.discard();
        const bool kept = m_result.batches > 0 && !m_parts.dry_run;
        try {
            if (m_taken) m_fence->finish("failed", m_result.rows.changed(), utc_now());
        } catch (const std::exception&) {
        }
        try {
            m_journal.finish({"failed", error.what(), m_result.rows});
        } catch (const std::exception&) {
        }
        try {
            if (kept) {
                if (error.code() == ExitCode::failed || error.code() == ExitCode::unreachable)
                    error.set_code(ExitCode::partial);
                error.set_hint(fmt::format(
                    "{}{}{} with {} committed before; their evidence is in the ledger (run {}) and in {}.",
                    error.hint(), error.hint().empty() ? "" : " ", counted(m_result.batches, "batch"),
                    counted(m_result.rows.changed(), "changed row"), m_result.run,
                    m_journal.csv_directory()));
            }
            if (error.hint().empty()) error.set_hint("The transaction was rolled back; nothing was changed.");
            m_listener.run_ended();
        } catch (const std::exception&) {
        }
    }

    const Plan& m_plan;
    Target& m_target;
    Journal& m_journal;
    Listener& m_listener;
    RunParts m_parts;
    std::optional<Fence> m_fence;  ///< none in a dry run
    bool m_taken = false;
    Preflight m_ready;
    Mode m_mode = Mode::single;
    RunResult m_result;
    StepLoop m_loop;
};

}  // namespace

RunResult run_plan(const Plan& plan, const RunParts& parts) {
    GuardedListener listener(parts.listener);
    const RunParts guarded{parts.target,  parts.journal, listener,  parts.identity,
                           parts.dry_run, parts.again,   parts.stop};
    return Runner(plan, guarded).run();
}

}  // namespace datachange
