#include "run/transaction.hpp"

#include <chrono>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/located.hpp"
#include "core/value_json.hpp"
#include "run/guards.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

StepCapture capture_unit(const TransactionParts& parts, const Unit& unit) {
    const Step& step = unit.step->plan->step;
    if (step.only_verifies()) return {};
    StepCapture capture = unit.slice ? capture_slice(parts.target, unit.step->capture, *unit.slice)
                                     : capture_range(parts.target, unit.step->capture, unit.range);
    const std::uint64_t changed = unit.changed_before + capture.rows.counts.changed();
    require_expected(parts.plan, step, changed, !unit.whole_step, "changes");
    return capture;
}

/// Hands the unit's rows to the ledger and collects what the target's journal is to hold of them.
void stage(const TransactionParts& parts, const Unit& unit, const StepCapture& capture, BatchRecord record,
           std::vector<FenceBatch>& batches) {
    const auto add = [&](int step, const BatchCapture& rows) {
        record.step = step;
        record.capture = &rows;
        batches.push_back(
            {step, record.batch, record.range, rows.counts.changed(), parts.journal.stage(record)});
    };
    const int number = unit.step->plan->step.number;
    add(number, capture.rows);
    for (std::size_t i = 0; i < capture.watches.size(); ++i) {
        add(unit.first_watch + static_cast<int>(i), capture.watches[i]);
    }
    if (!capture.collateral.empty()) parts.journal.collateral(number, record.batch, capture.collateral);
}

UnitResult run_unit(const TransactionParts& parts, const Unit& unit, std::vector<FenceBatch>& batches) {
    const Clock::time_point start = Clock::now();
    BatchRecord record;
    record.batch = std::to_string(unit.batch);
    record.range = unit.range;
    record.started_at = utc_now();
    const Step& step = unit.step->plan->step;
    UnitResult result;
    if (unit.whole_step) result.summary_before = write_summary(parts, step, "before");
    result.capture = capture_unit(parts, unit);
    if (unit.whole_step) {
        require_verified(parts.target, parts.plan, step);
        result.summary_after = write_summary(parts, step, "after");
    }
    record.duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    if (!step.only_verifies()) stage(parts, unit, result.capture, record, batches);
    return result;
}

void require_same_transaction(Target& target, const std::string& transaction) {
    if (target.transaction_id() == transaction) return;
    throw Error(
        ExitCode::mismatch, "something in change ended the transaction, so part of it may be committed",
        "A procedure or function that commits cannot be audited. Look at the target before anything else.");
}

void require_committed(const CommitResult& commit) {
    if (commit.outcome == Outcome::committed) return;
    if (commit.outcome == Outcome::rolled_back) {
        throw Error(ExitCode::failed,
                    fmt::format("COMMIT was refused and the batch rolled back: {} ({})", commit.message,
                                commit.sqlstate),
                    "Mend what it names, then run again.");
    }
    throw Error(
        ExitCode::pending,
        fmt::format("the outcome of a COMMIT is not known: {} ({})", commit.message, commit.sqlstate),
        "The batch stands as 'unknown' in the ledger; whether its row is in datachange_batches of the target "
        "tells if it committed.");
}

}  // namespace

std::vector<UnitResult> run_transaction(const TransactionParts& parts, const std::vector<Unit>& units) {
    parts.target.begin(Isolation::repeatable_read);
    const std::string transaction = parts.target.transaction_id();
    if (parts.fence) parts.fence->check();
    std::vector<UnitResult> results;
    std::vector<FenceBatch> batches;
    for (const Unit& unit : units) results.push_back(run_unit(parts, unit, batches));
    require_same_transaction(parts.target, transaction);
    if (parts.fence) {
        for (const FenceBatch& batch : batches) parts.fence->record(batch);
    }
    parts.journal.prepare(
        transaction);  // durable before the target commits: what is committed is never without evidence
    const CommitResult commit = parts.target.commit();
    parts.journal.settle(commit.outcome);
    require_committed(commit);
    return results;
}

std::string write_summary(const TransactionParts& parts, const Step& step, const std::string& moment) {
    if (!step.summary) return {};
    const RowSet rows = located(parts.plan.definition.path, step.summary->at,
                                [&] { return parts.target.query(*step.summary, Scope{}); });
    parts.journal.summary(step.number, moment, rows);
    return json_objects(rows);
}

}  // namespace datachange
