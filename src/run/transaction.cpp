#include "run/transaction.hpp"

#include <chrono>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/failpoint.hpp"
#include "core/located.hpp"
#include "core/value_json.hpp"
#include "run/guards.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

StepCapture capture_unit(const TransactionParts& parts, const Unit& unit, const Attempt& attempt) {
    const Step& step = unit.step->plan->step;
    if (step.only_verifies()) return {};
    const bool lock_first = attempt.isolation == Isolation::read_committed;
    StepCapture capture = unit.slice ? capture_slice(parts.target, unit.step->capture, *unit.slice)
                                     : capture_range(parts.target, unit.step->capture, unit.range, lock_first);
    const std::uint64_t changed = unit.changed_before + capture.rows.counts.changed();
    require_expected(parts.plan, step, changed, !unit.whole_step, "changes");
    return capture;
}

/// Hands the unit's rows to the ledger and collects what the target's journal is to hold of them.
void stage(const TransactionParts& parts, const Unit& unit, const StepCapture& capture, BatchRecord record,
           std::vector<CommittedBatch>& batches) {
    const auto add = [&](int step, const BatchCapture& rows) {
        record.step = step;
        record.capture = &rows;
        batches.push_back(
            {step, record.batch, record.range, rows.counts.changed(), parts.journal.stage(record), ""});
    };
    const int number = unit.step->plan->step.number;
    add(number, capture.rows);
    for (std::size_t i = 0; i < capture.watches.size(); ++i) {
        add(unit.first_watch + static_cast<int>(i), capture.watches[i]);
    }
    if (!capture.collateral.empty()) parts.journal.collateral(number, record.batch, capture.collateral);
}

UnitResult run_unit(const TransactionParts& parts, const Unit& unit, const Attempt& attempt, std::vector<CommittedBatch>& batches) {
    const Clock::time_point start = Clock::now();
    BatchRecord record;
    record.batch = unit.batch;
    record.attempts = attempt.number;
    record.range = unit.range;
    record.started_at = utc_now();
    const Step& step = unit.step->plan->step;
    UnitResult result;
    if (unit.whole_step) result.summary_before = write_summary(parts, step, "before");
    result.capture = capture_unit(parts, unit, attempt);
    record.witness = witness_text(result.capture);
    if (unit.whole_step) {
        require_verified(parts.target, parts.plan, step);
        result.summary_after = write_summary(parts, step, "after");
    }
    record.duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    failpoint("batch.captured");
    if (!step.only_verifies()) stage(parts, unit, result.capture, record, batches);
    return result;
}

void require_same_transaction(Target& target, const std::string& transaction) {
    if (target.transaction_id() == transaction) return;
    throw Error(
        ExitCode::mismatch, "something in change ended the transaction, so part of it may be committed",
        "A procedure or function that commits cannot be audited. Look at the target before anything else.");
}

/// A ledger that cannot take the mark has the batch as 'prepared', which is decided in the same way.
void settle(Journal& journal, Outcome outcome) {
    try {
        journal.settle(outcome);
    } catch (const std::exception&) {
        if (outcome != Outcome::in_doubt) throw;
    }
}

}  // namespace

TriedTransaction run_transaction(const TransactionParts& parts, const std::vector<Unit>& units,
                                 const Attempt& attempt) {
    const Clock::time_point start = Clock::now();
    TriedTransaction tried;
    parts.target.begin(attempt.isolation);
    const std::string transaction = parts.target.transaction_id();
    failpoint("batch.begun");
    if (parts.fence) {
        const RunRequests requests = parts.fence->check();
        if (requests.pause || requests.cancel) throw RequestPending{requests};
    }
    failpoint("batch.fenced");
    for (const Unit& unit : units) tried.results.push_back(run_unit(parts, unit, attempt, tried.batches));
    require_same_transaction(parts.target, transaction);
    if (parts.fence) {
        for (const CommittedBatch& batch : tried.batches) parts.fence->record(batch);
    }
    failpoint("batch.journaled");
    // durable before the target commits: what is committed is never without evidence
    parts.journal.prepare(transaction);
    tried.commit = parts.target.commit();
    failpoint("batch.committed");
    settle(parts.journal, tried.commit.outcome);
    for (UnitResult& result : tried.results) {
        result.duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    }
    return tried;
}

std::string write_summary(const TransactionParts& parts, const Step& step, const std::string& moment) {
    if (!step.summary) return {};
    const RowSet rows = located(parts.plan.definition.path, step.summary->at,
                                [&] { return parts.target.query(*step.summary, Scope{}); });
    parts.journal.summary(step.number, moment, rows);
    return json_objects(rows);
}

}  // namespace datachange
