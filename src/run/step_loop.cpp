#include "run/step_loop.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/batch_path.hpp"
#include "core/failpoint.hpp"
#include "core/text.hpp"
#include "run/error_class.hpp"
#include "run/guards.hpp"
#include "run/spooled_set.hpp"

namespace datachange {

StepLoop::StepLoop(const TransactionParts& transaction, const std::vector<ReadyStep>& steps,
                   const RunParts& parts, BatchRunner& runner, Control& control, RunResult& result)
    : m_plan(transaction.plan),
      m_target(parts.target),
      m_journal(transaction.journal),
      m_listener(control.listener()),
      m_parts(parts),
      m_steps(steps),
      m_runner(runner),
      m_control(control),
      m_result(result),
      m_transaction(transaction),
      m_tally(result) {
}

void StepLoop::begin_with(SetSize first_set) {
    m_first_set = std::move(first_set);
}

void StepLoop::go_on(Prior prior) {
    m_tally.add_prior(prior.evidence, m_plan.steps.size());
    for (const RowFailure& failure : prior.failures)
        m_failed_before.emplace(failure.step, failure.identifier);
    m_prior = std::move(prior);
}

void StepLoop::run_in_one_transaction(const std::vector<std::uint64_t>& planned) {
    if (m_prior && !m_prior->journal.batches.empty()) return;  // its one transaction has committed
    std::vector<Unit> units;
    std::uint64_t largest = 0;  // a later step may live on what an earlier one wrote
    for (std::size_t i = 0; i < m_steps.size(); ++i) {
        const StepPlan& step = *m_steps[i].plan;
        const bool unknown = m_prior && !step.step.only_verifies();
        const std::uint64_t rows = unknown ? measure_step(m_steps[i]).keys : planned[i];
        m_listener.step_started(static_cast<int>(i) + 1, step.step.name, rows, false);
        largest = std::max(largest, rows);
        units.push_back(unit(i, {"1", {}, largest}, true));
    }
    m_control.require_not_stopped();
    do_whole(units);
}

void StepLoop::run_in_batches() {
    for (std::size_t i = 0; i < m_steps.size(); ++i) {
        run_step(i);
        failpoint("step.done");
    }
}

void StepLoop::conclude() {
    m_result.collateral = m_tally.collateral();
    for (const std::string& warning : m_tally.warnings()) warn(warning);
}

/// One step in transactions of its own.
void StepLoop::run_step(std::size_t index) {
    const ReadyStep& step = m_steps[index];
    StepSet set = begin_set(index);
    const bool batched =
        set.prior.set || (set.size.keys > 0 && wants_batches(m_plan, *step.plan, set.size.keys));
    m_listener.step_started(static_cast<int>(index) + 1, step.plan->step.name, set.size.keys, batched);
    if (m_prior) m_listener.step_resumed(static_cast<int>(index) + 1, set.covered, set.prior.batches.size());
    if (set.prior.whole()) return;
    if (batched) return run_batched_step(index, set);
    m_runner.retrying([&] { m_control.before_batch(); });
    do_whole({unit(index, {"1", {}, set.size.keys}, true)});
}

/// Whole steps in one transaction.
void StepLoop::do_whole(const std::vector<Unit>& units) {
    for (const Unit& unit : units) {
        if (unit.step->takes_back()) spool_images(*unit.step);
        m_journal.handed_out(unit.step->plan->step.number, unit.batch);
    }
    transact(m_runner, units);
    for (const Unit& unit : units) m_journal.done_with(unit.step->plan->step.number, unit.batch);
}

/// The set as it was frozen before, or as it is now.
StepLoop::StepSet StepLoop::begin_set(std::size_t index) {
    const ReadyStep& step = m_steps[index];
    StepSet set;
    if (m_prior) {
        const int number = step.plan->step.number;
        set.prior = continue_step(number, m_prior->journal, m_prior->evidence.lost);
        if (step.takes_back()) {
            set.size.keys = step.undo_rows;
            set.covered = rows_put_back(set.prior.batches);
            return set;
        }
        for (const auto& evidence : m_prior->evidence.steps) {
            if (evidence.step == number) set.covered += evidence.rows.pre;
        }
        for (const CommittedBatch& batch : m_prior->evidence.elsewhere) {
            if (batch.step == number) set.covered += batch.rows;
        }
    }
    if (set.prior.set) {
        set.size = {set.prior.set->keys, 0, set.prior.set->greatest};
    } else if (!set.prior.whole() && !step.plan->step.only_verifies()) {
        const bool known = index == 0 && m_first_set && !m_prior;
        set.size = known ? *m_first_set : measure_step(step);
    }
    return set;
}

void StepLoop::run_batched_step(std::size_t index, StepSet& set) {
    const ReadyStep& step = m_steps[index];
    const bool ranges = step.plan->batching == Batching::range;
    if (!set.prior.set) {
        require_sound_set(m_plan, step, set.size, ranges);
        if (step.plan->batching == Batching::none) refuse_unbatchable(index, set.size.keys);
        if (!step.plan->step.keys)
            require_expected(m_plan, step.plan->step, set.size.keys, false, "would change");
        read_summary(index, "before");
    }
    m_sizer = sizer_for(step, set);
    if (wants_workers(step)) m_workers = start_workers(m_parts, m_transaction, m_control);
    try {
        ranges ? run_ranges(index, set) : run_slices(index, set);
        if (m_workers) m_workers->drain();
    } catch (...) {
        m_workers.reset();  // waits for the batches in hand, which use the set
        throw;
    }
    m_workers.reset();
    m_journal.step_done(step.plan->step.number);
    require_covered(step, set);
    m_runner.read_only([&] { require_verified(m_target, m_plan, step.plan->step); });
    read_summary(index, "after");
    report_leftovers(step, set);
}

/// A maximum of rows is held against the running total, which only one at a time can know.
bool StepLoop::wants_workers(const ReadyStep& step) const {
    const auto& expected = step.plan->step.expect_rows;
    return m_parts.workers > 1 && !step.takes_back() && m_transaction.fence != nullptr &&
           !(expected && expected->most);
}

/// A run that goes on keeps the batch size that it began with, unless another is given now.
BatchSizer StepLoop::sizer_for(const ReadyStep& step, const StepSet& set) const {
    BatchSizing sizing = m_parts.sizing;
    std::uint64_t size = step.plan->batch_size;
    if (m_parts.keep_batch_size && set.prior.set && set.prior.set->batch_size > 0) {
        size = set.prior.set->batch_size;
        sizing.adaptive = false;
    }
    return {size, sizing};
}

/// From here on the step goes by this set, whoever goes on with it.
void StepLoop::freeze(const ReadyStep& step, const StepSet& set) {
    if (!m_transaction.fence) return;
    m_runner.retrying([&] {
        m_transaction.fence->record_set({step.plan->step.number, set.size.keys,
                                         m_parts.sizing.adaptive ? 0 : step.plan->batch_size,
                                         set.size.greatest});
    });
    failpoint("step.set");
}

/// A later step may have grown since the mode was chosen; choose_mode says what to add.
void StepLoop::refuse_unbatchable(std::size_t index, std::uint64_t rows) const {
    std::vector<std::uint64_t> sizes(m_plan.steps.size(), 0);
    sizes[index] = rows;
    choose_mode(m_plan, sizes);
}

SetSize StepLoop::measure_step(const ReadyStep& step) {
    SetSize size;
    size.keys = step.undo_rows;
    if (step.takes_back()) return size;
    m_runner.read_only(
        [&] { size = measure(m_target, step.source, step.plan->batching == Batching::range); });
    return size;
}

void StepLoop::run_ranges(std::size_t index, StepSet& set) {
    if (!set.prior.set) freeze(m_steps[index], set);
    for (const Gap& gap : gaps(set.prior, set.size.greatest)) run_gap(index, set, gap);
}

/// Cuts what is left between two batches into ranges that are done one after the other.
void StepLoop::run_gap(std::size_t index, StepSet& set, const Gap& gap) {
    const ReadyStep& step = m_steps[index];
    Part part{gap.after, {std::nullopt, gap.range.after}};
    while (part.range.upto != gap.range.upto) {
        const std::uint64_t size = batch_size();
        std::optional<NextRange> next;
        m_runner.read_only(
            [&] { next = next_range(m_target, step.source, part.range.upto, *gap.range.upto, size); });
        if (!next) return;
        if (next->keys < size) next->range.upto = gap.range.upto;  // the last one reaches to the end
        part = {batch_path_between(part.path, gap.before, set.prior.taken), next->range, next->keys};
        hand_out(index, set, part);
    }
}

/// Goes through the spooled set; slices that are committed are passed over.
void StepLoop::run_slices(std::size_t index, StepSet& set) {
    const ReadyStep& step = m_steps[index];
    const int number = step.plan->step.number;
    std::vector<CommittedBatch> done = set.prior.batches;
    std::string path;
    std::uint64_t spooled = m_journal.spool_size(number);
    if (set.prior.set && spooled == 0 && set.covered >= set.prior.set->keys) return;  // all of it was done
    if (step.takes_back() && (!set.prior.set || spooled == 0)) {
        // each image has the same place whenever it is read, so that batches of before are found again
        spooled = set.size.keys = spool_images(step);
        if (!set.prior.set) freeze(step, set);
    } else if (!set.prior.set || spooled == 0) {
        // a ledger that was lost had the set: what is left of it is read again, behind the last slice
        std::optional<Key> behind;
        if (!done.empty()) {
            behind = done.back().range.upto;
            path = done.back().batch;
            done.clear();
            warn("the set was read again behind the last batch: the ledger that had it is not this one");
        }
        spooled = spool_set(m_runner, m_journal, step, behind);
        set.size.keys = set.covered + spooled;
        if (!set.prior.set) freeze(step, set);
    }
    auto next_done = done.begin();
    for (std::uint64_t place = 0; place < spooled;) {
        RowSet slice = m_journal.spooled(number, place, batch_size());
        if (slice.empty()) return;
        const auto places = step.slice_key(slice);
        std::size_t length = 0;
        while (length < slice.size() &&
               (next_done == done.end() || slice.key(length, places) != *next_done->range.after)) {
            ++length;
        }
        if (length > 0) {
            if (length < slice.size()) slice = slice.part(0, length);
            const std::string before = next_done == done.end() ? "" : next_done->batch;
            path = batch_path_between(path, before, set.prior.taken);
            const KeyRange range{slice.key(0, places), slice.key(length - 1, places)};
            hand_out(index, set, {path, range, length, std::make_shared<const RowSet>(std::move(slice))});
            place += length;
        } else {
            place = place_behind(m_journal, number, place, *next_done->range.upto, places);
            path = next_done->batch;
            ++next_done;
        }
    }
}

std::uint64_t StepLoop::batch_size() {
    const std::lock_guard lock(m_mutex);
    return m_sizer->size();
}

/// Does a batch, or has a worker do it beside others.
void StepLoop::hand_out(std::size_t index, StepSet& set, const Part& part) {
    m_runner.retrying([&] { m_control.before_batch(); });
    const int step = m_steps[index].plan->step.number;
    m_journal.handed_out(step, part.path);
    const auto work = [this, index, step, &set, part](BatchRunner& runner) {
        run_part(runner, index, set, part);
        m_journal.done_with(step, part.path);
    };
    if (!m_workers) return work(m_runner);
    m_workers->submit([work](Workers::Session& session) {
        session.control->require_not_stopped();
        work(*session.runner);
    });
}

/// One batch; in halves where it cannot be done as a whole.
void StepLoop::run_part(BatchRunner& runner, std::size_t index, StepSet& set, const Part& part) {
    try {
        const std::vector<UnitResult> results = transact(runner, {unit(index, part, false)});
        const std::uint64_t pre = results.front().capture.rows.counts.pre;
        m_control.batch_done(pre);
        const std::lock_guard lock(m_mutex);
        set.covered += part.slice || m_steps[index].source.distinct ? part.keys : pre;
        if (part.keys >= m_sizer->size()) m_sizer->took(results.front().duration);
        return;
    } catch (const DatabaseError& error) {
        if (!m_transaction.fence) throw;
        run_in_halves(runner, index, set, part, error);
    }
}

void StepLoop::run_in_halves(BatchRunner& runner, std::size_t index, StepSet& set, const Part& part,
                             const DatabaseError& error) {
    const ErrorClass kind = classify(error.sqlstate());
    const bool data = kind == ErrorClass::data;
    const bool too_long = kind == ErrorClass::too_long && !part.halved;
    const bool conflict = kind == ErrorClass::serialization;
    if (!data && !too_long && !conflict) throw DatabaseError(error);

    const Halves split = halve(runner, m_steps[index], part);
    if (split.halves.empty()) {
        if (!data) throw DatabaseError(error);
        return fail_row(index, set, part, split.identifier, error);
    }
    m_journal.event("split",
                    fmt::format("step {} batch {}: {} ({})", m_steps[index].plan->step.number, part.path,
                                datachange::split(error.what(), '\n').front(), error.sqlstate()));
    for (Part half : split.halves) {
        half.halved = part.halved || too_long;
        m_control.require_not_stopped();
        run_part(runner, index, set, half);
    }
}

/// One key is left of a batch, and the target refuses to have it changed.
void StepLoop::fail_row(std::size_t index, StepSet& set, const Part& part, const std::string& identifier,
                        const DatabaseError& error) {
    const RowFailure failure{m_steps[index].plan->step.number, part.path, identifier, error.sqlstate(),
                             error.what()};
    m_journal.failure(failure);
    const std::lock_guard lock(m_mutex);
    m_result.failures.push_back(failure);
    ++set.covered;
    const bool too_many = m_result.failures.size() >= m_parts.max_failures;
    const bool skips = m_steps[index].plan->skips_failures || m_parts.skip_failures;
    if (skips && !too_many) return;
    const std::string row =
        identifier.empty() ? "a row" : join(m_steps[index].source.columns, ", ") + " " + identifier;
    Error stop(
        ExitCode::failed, fmt::format("{} cannot be changed: {}", row, error.what()),
        skips ? fmt::format("{} have failed, as many as --max-failures allows; they stand in the ledger.",
                            counted(m_result.failures.size(), "row"))
              : "The row stands in the ledger's failures. Mend it, then go on; or go on without such rows by "
                "--on-error skip.");
    throw stop.at(error.where());
}

/// What the batches did not have, or had too much. A run that goes on has been away for a while, and others
/// may have been at work.
void StepLoop::require_covered(const ReadyStep& step, const StepSet& set) {
    // what earlier processes covered is known in rows, and not in keys that rows share
    const bool known = !step.takes_back() && (!m_prior || !step.source.distinct);
    if (set.covered == set.size.keys || !known) return;
    const std::string difference = fmt::format("{} planned, but the batches had {}",
                                               counted(set.size.keys, "row"), with_thousands(set.covered));
    if (m_prior)
        return warn(difference + ": the set changed while the run had stopped, or other sessions did");
    throw Error(
        ExitCode::mismatch, difference,
        "Other sessions may have changed the set meanwhile, or :batch stands on another column than the "
        "identifier. What the batches changed is committed and in the ledger.")
        .at(fmt::format("{}:{}", m_plan.definition.path, step.plan->step.pre->at.line));
}

/// Rows that came behind the cursor, or that the change leaves in the set.
void StepLoop::report_leftovers(const ReadyStep& step, const StepSet& set) {
    if (m_parts.dry_run || step.takes_back()) return;
    SetSize now = measure_step(step);
    now.keys -= std::min<std::uint64_t>(now.keys, m_result.failures.size());
    if (now.keys == 0 || now.keys == set.size.keys) return;
    const std::uint64_t left = now.keys > set.size.keys ? now.keys - set.size.keys : now.keys;
    warn(
        fmt::format("{} of the set {} left: pre finds {} after the run (rows that came behind the "
                    "batches, or that the "
                    "change leaves in the set)",
                    counted(left, "row"), left == 1 ? "is" : "are", with_thousands(now.keys)));
}

/// Runs units in one transaction and adds up what they gave.
std::vector<UnitResult> StepLoop::transact(BatchRunner& runner, const std::vector<Unit>& units) {
    std::vector<UnitResult> results = runner.run(units);
    const std::lock_guard lock(m_mutex);
    for (std::size_t i = 0; i < units.size(); ++i) {
        const auto step = static_cast<std::size_t>(units[i].step - m_steps.data());
        m_tally.add(units[i], results[i]);
        resolve_failures(units[i], results[i]);
        m_listener.batch_done(static_cast<int>(step) + 1, units[i].batch, results[i].capture.rows.counts.pre);
    }
    m_listener.rows_changed(m_result.rows.changed() + m_result.rows_elsewhere);
    return results;
}

/// Rows that failed before, and have been changed now.
void StepLoop::resolve_failures(const Unit& unit, const UnitResult& result) {
    const int step = unit.step->plan->step.number;
    for (const std::string& identifier : result.mended) m_journal.failure_resolved(step, identifier);
}

Unit StepLoop::unit(std::size_t index, const Part& part, bool whole_step) {
    const std::lock_guard lock(m_mutex);
    return {&m_steps[index],           part.path,  part.range,
            part.slice.get(),          whole_step, m_result.steps[index].rows.changed(),
            first_watch_number(index), part.keys,  m_failed_before.empty() ? nullptr : &m_failed_before};
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
    m_runner.read_only([&] { summary = write_summary(m_transaction, m_plan.steps[index].step, moment); });
}

void StepLoop::warn(const std::string& text) {
    m_result.warnings.push_back(text);
    m_listener.warning(text);
}

}  // namespace datachange
