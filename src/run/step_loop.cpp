#include "run/step_loop.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "run/guards.hpp"

namespace datachange {

StepLoop::StepLoop(const TransactionParts& transaction, const std::vector<ReadyStep>& steps,
                   const RunParts& parts, RunResult& result)
    : m_plan(transaction.plan),
      m_target(parts.target),
      m_journal(parts.journal),
      m_listener(parts.listener),
      m_parts(parts),
      m_steps(steps),
      m_result(result),
      m_transaction(transaction),
      m_tally(result) {
}

template <typename Work>
void StepLoop::read_only(Work&& work) {
    m_target.begin(Isolation::read_only);
    work();
    m_target.commit();
}

void StepLoop::run_in_one_transaction(const std::vector<std::uint64_t>& planned) {
    std::vector<Unit> units;
    for (std::size_t i = 0; i < m_steps.size(); ++i) {
        m_listener.step_started(static_cast<int>(i) + 1, m_steps[i].plan->step.name, planned[i], false);
        units.push_back(unit(i, 1, {}, nullptr, true));
    }
    transact(units);
}

void StepLoop::run_in_batches() {
    for (std::size_t i = 0; i < m_steps.size(); ++i) run_step(i);
}

void StepLoop::conclude() {
    m_result.collateral = m_tally.collateral();
    for (const std::string& warning : m_tally.warnings()) warn(warning);
}

/// One step in transactions of its own.
void StepLoop::run_step(std::size_t index) {
    const ReadyStep& step = m_steps[index];
    StepSet set;
    if (!step.plan->step.only_verifies()) set.size = measure_step(step);
    const bool batched = set.size.keys > 0 && wants_batches(m_plan, *step.plan, set.size.keys);
    m_listener.step_started(static_cast<int>(index) + 1, step.plan->step.name, set.size.keys, batched);
    if (!batched) {
        transact({unit(index, 1, {}, nullptr, true)});
        return;
    }
    require_sound_set(m_plan, step, set.size, step.plan->batching == Batching::range);
    if (step.plan->batching == Batching::none) refuse_unbatchable(index, set.size.keys);
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

/// A later step may have grown since the mode was chosen; choose_mode says what to add.
void StepLoop::refuse_unbatchable(std::size_t index, std::uint64_t rows) const {
    std::vector<std::uint64_t> sizes(m_plan.steps.size(), 0);
    sizes[index] = rows;
    choose_mode(m_plan, sizes);
}

SetSize StepLoop::measure_step(const ReadyStep& step) {
    SetSize size;
    read_only([&] { size = measure(m_target, step.source, step.plan->batching == Batching::range); });
    return size;
}

void StepLoop::run_ranges(std::size_t index, StepSet& set) {
    const ReadyStep& step = m_steps[index];
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

/// Reads the set once, in one snapshot, into the ledger. @return its rows.
std::uint64_t StepLoop::spool_set(const ReadyStep& step) {
    std::uint64_t spooled = 0;
    read_only([&] {
        m_target.stream(in_key_order(step.capture.pre, step.capture.identifier), step.plan->batch_size,
                        [&](RowSet&& rows) {
                            m_journal.spool(step.plan->step.number, rows);
                            spooled += rows.size();
                        });
    });
    return spooled;
}

void StepLoop::run_slices(std::size_t index, StepSet& set) {
    const ReadyStep& step = m_steps[index];
    const int number = step.plan->step.number;
    const std::uint64_t spooled = spool_set(step);
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

void StepLoop::require_covered(const ReadyStep& step, const StepSet& set) const {
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
void StepLoop::report_leftovers(const ReadyStep& step, const StepSet& set) {
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
std::uint64_t StepLoop::transact(const std::vector<Unit>& units) {
    const std::vector<UnitResult> results = run_transaction(m_transaction, units);
    std::uint64_t pre = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
        const auto step = static_cast<std::size_t>(units[i].step - m_steps.data());
        m_tally.add(units[i], results[i]);
        const std::uint64_t rows = results[i].capture.rows.counts.pre;
        m_listener.batch_done(static_cast<int>(step) + 1, std::to_string(units[i].batch), rows);
        pre += rows;
    }
    return pre;
}

Unit StepLoop::unit(std::size_t index, std::uint64_t batch, KeyRange range, const RowSet* slice,
                    bool whole_step) const {
    return {&m_steps[index],
            batch,
            std::move(range),
            slice,
            whole_step,
            m_result.steps[index].rows.changed(),
            first_watch_number(index)};
}

int StepLoop::first_watch_number(std::size_t index) const {
    auto number = static_cast<int>(m_plan.steps.size()) + 1;
    for (std::size_t i = 0; i < index; ++i) number += static_cast<int>(m_plan.steps[i].step.watches.size());
    return number;
}

void StepLoop::read_summary(std::size_t index, const std::string& moment) {
    if (!m_plan.steps[index].step.summary) return;
    StepResult& result = m_result.steps[index];
    std::string& summary = moment == "before" ? result.summary_before : result.summary_after;
    read_only([&] { summary = write_summary(m_transaction, m_plan.steps[index].step, moment); });
}

void StepLoop::require_not_stopped() const {
    if (!m_parts.stop || !m_parts.stop->load()) return;
    throw Error(ExitCode::pending, "stopped on request after the batch in hand", "");
}

void StepLoop::warn(const std::string& text) {
    m_result.warnings.push_back(text);
    m_listener.warning(text);
}

}  // namespace datachange
