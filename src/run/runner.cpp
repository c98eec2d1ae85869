#include "run/runner.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "run/guards.hpp"
#include "run/tally.hpp"
#include "run/transaction.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t milliseconds_since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

/// The set of a step is cut from what is measured when the step starts.
struct StepSet {
    SetSize size;
    std::uint64_t covered = 0;  ///< keys that batches had so far
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
          m_transaction{plan, parts.target, parts.journal, m_fence ? &*m_fence : nullptr} {}

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
    // --- before anything is changed
    // -----------------------------------------------------------------------------

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

    // --- the change
    // ---------------------------------------------------------------------------------------------

    void change(const std::vector<std::uint64_t>& planned) {
        if (!m_ready.skip_reason.empty()) {
            m_journal.event("skipped", m_ready.skip_reason);
            warn("skipped: " + m_ready.skip_reason + ", and the definition says `on-missing: skip`");
            m_result.state = "skipped";
            return;
        }
        if (m_mode == Mode::single) {
            std::vector<Unit> units;
            for (std::size_t i = 0; i < m_ready.steps.size(); ++i) {
                m_listener.step_started(static_cast<int>(i) + 1, m_ready.steps[i].plan->step.name, planned[i],
                                        false);
                units.push_back(unit(i, 1, {}, nullptr, true));
            }
            transact(units);
            return;
        }
        for (std::size_t i = 0; i < m_ready.steps.size(); ++i) run_step(i);
    }

    /// One step in transactions of its own.
    void run_step(std::size_t index) {
        const ReadyStep& step = m_ready.steps[index];
        StepSet set;
        if (!step.plan->step.only_verifies()) set.size = measure_step(step);
        const bool batched = set.size.keys > 0 && wants_batches(m_plan, *step.plan, set.size.keys);
        m_listener.step_started(static_cast<int>(index) + 1, step.plan->step.name, set.size.keys, batched);
        if (!batched) {
            transact({unit(index, 1, {}, nullptr, true)});
            return;
        }
        require_sound_set(m_plan, step, set.size, step.plan->batching == Batching::range);
        if (step.plan->batching == Batching::none)
            choose_mode(m_plan, sizes_with(index, set.size.keys));  // says why not
        if (!step.plan->step.keys)
            require_expected(m_plan, step.plan->step, set.size.keys, false, "would change");
        read_summary(index, "before");
        if (step.plan->batching == Batching::range) {
            run_ranges(index, set);
        } else {
            run_slices(index, set);
        }
        require_covered(step, set);
        read_only([&] { require_verified(m_target, m_plan, step.plan->step); });
        read_summary(index, "after");
        report_leftovers(step, set);
    }

    std::vector<std::uint64_t> sizes_with(std::size_t index, std::uint64_t rows) const {
        std::vector<std::uint64_t> sizes(m_plan.steps.size(), 0);
        sizes[index] = rows;
        return sizes;
    }

    SetSize measure_step(const ReadyStep& step) {
        SetSize size;
        read_only([&] { size = measure(m_target, step.source, step.plan->batching == Batching::range); });
        return size;
    }

    void run_ranges(std::size_t index, StepSet& set) {
        const ReadyStep& step = m_ready.steps[index];
        std::optional<Key> after;
        for (std::uint64_t batch = 1;; ++batch) {
            std::optional<NextRange> next;
            read_only([&] {
                next = next_range(m_target, step.source, after, *set.size.greatest, step.plan->batch_size);
            });
            if (!next) return;
            require_not_stopped();
            const std::uint64_t pre = transact({unit(index, batch, next->range, nullptr, false)});
            set.covered += step.source.distinct ? next->keys : pre;
            after = next->range.upto;
        }
    }

    void run_slices(std::size_t index, StepSet& set) {
        const ReadyStep& step = m_ready.steps[index];
        const int number = step.plan->step.number;
        std::uint64_t spooled = 0;
        read_only([&] {
            m_target.stream(in_key_order(step.capture.pre, step.capture.identifier), step.plan->batch_size,
                            [&](RowSet&& rows) {
                                m_journal.spool(number, rows);
                                spooled += rows.size();
                            });
        });
        set.size.keys = spooled;
        for (std::uint64_t batch = 1; set.covered < spooled; ++batch) {
            require_not_stopped();
            const RowSet slice = m_journal.spooled(number, set.covered, step.plan->batch_size);
            if (slice.empty()) return;
            const auto places = identifier_columns(slice.columns(), step.capture.identifier, "pre");
            const KeyRange range{slice.key(0, places), slice.key(slice.size() - 1, places)};
            transact({unit(index, batch, range, &slice, false)});
            set.covered += slice.size();
        }
    }

    void require_covered(const ReadyStep& step, const StepSet& set) {
        if (set.covered == set.size.keys) return;
        throw Error(
            ExitCode::mismatch,
            fmt::format("{} planned, but the batches had {}", counted(set.size.keys, "row"),
                        with_thousands(set.covered)),
            "Other sessions may have changed the set meanwhile, or :batch stands on another column than the "
            "identifier. What the batches changed is committed and in the ledger.")
            .at(fmt::format("{}:{}", m_plan.definition.path, step.plan->step.pre->at.line));
    }

    /// Rows that came behind the cursor, or that the change leaves in the set.
    void report_leftovers(const ReadyStep& step, const StepSet& set) {
        if (m_parts.dry_run) return;
        const SetSize now = measure_step(step);
        if (now.keys == 0 || now.keys == set.size.keys) return;
        const std::uint64_t left = now.keys > set.size.keys ? now.keys - set.size.keys : now.keys;
        warn(
            fmt::format("{} of the set {} left: pre finds {} after the run (rows that came behind the "
                        "batches, or that the "
                        "change leaves in the set)",
                        counted(left, "row"), left == 1 ? "is" : "are", with_thousands(now.keys)));
    }

    /// Runs units in one transaction and adds up what they gave. @return rows of pre, over the units.
    std::uint64_t transact(const std::vector<Unit>& units) {
        const std::vector<UnitResult> results = run_transaction(m_transaction, units);
        std::uint64_t pre = 0;
        for (std::size_t i = 0; i < units.size(); ++i) {
            const auto step = static_cast<std::size_t>(units[i].step - m_ready.steps.data());
            m_tally.add(units[i], results[i]);
            const std::uint64_t rows = results[i].capture.rows.counts.pre;
            m_listener.batch_done(static_cast<int>(step) + 1, std::to_string(units[i].batch), rows);
            pre += rows;
        }
        return pre;
    }

    Unit unit(std::size_t index, std::uint64_t batch, KeyRange range, const RowSet* slice,
              bool whole_step) const {
        return {&m_ready.steps[index],
                batch,
                std::move(range),
                slice,
                whole_step,
                m_result.steps[index].rows.changed(),
                first_watch_number(index)};
    }

    int first_watch_number(std::size_t index) const {
        auto number = static_cast<int>(m_plan.steps.size()) + 1;
        for (std::size_t i = 0; i < index; ++i)
            number += static_cast<int>(m_plan.steps[i].step.watches.size());
        return number;
    }

    // --- around it
    // ----------------------------------------------------------------------------------------------

    template <typename Work>
    void read_only(Work&& work) {
        m_target.begin(Isolation::read_only);
        work();
        m_target.commit();
    }

    void read_summary(std::size_t index, const std::string& moment) {
        if (!m_plan.steps[index].step.summary) return;
        StepResult& result = m_result.steps[index];
        std::string& summary = moment == "before" ? result.summary_before : result.summary_after;
        read_only([&] { summary = write_summary(m_transaction, m_plan.steps[index].step, moment); });
    }

    void require_not_stopped() const {
        if (!m_parts.stop || !m_parts.stop->load()) return;
        throw Error(ExitCode::pending, "stopped on request after the batch in hand", "");
    }

    void warn(const std::string& text) {
        m_result.warnings.push_back(text);
        m_listener.warning(text);
    }

    void finish(const std::string& state) {
        m_result.collateral = m_tally.collateral();
        for (const std::string& warning : m_tally.warnings()) warn(warning);
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
    TransactionParts m_transaction;
    Tally m_tally{m_result};
};

}  // namespace

RunResult run_plan(const Plan& plan, const RunParts& parts) {
    return Runner(plan, parts).run();
}

}  // namespace datachange
