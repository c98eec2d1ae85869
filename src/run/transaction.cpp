#include "run/transaction.hpp"

#include <chrono>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/failpoint.hpp"
#include "core/located.hpp"
#include "core/timings.hpp"
#include "core/value_json.hpp"
#include "run/guards.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

StepCapture capture_unit(const TransactionParts& parts, const Unit& unit, const Attempt& attempt) {
    const Step& step = unit.step->plan->step;
    if (step.only_verifies()) return {};
    const bool lock_first = attempt.isolation == Isolation::read_committed;
    StepCapture capture = unit.slice
                              ? capture_slice(parts.target, unit.step->capture, *unit.slice)
                              : capture_range(parts.target, unit.step->capture, unit.range, lock_first);
    const std::uint64_t changed = unit.changed_before + capture.rows.counts.changed();
    require_expected(parts.plan, step, changed, !unit.whole_step, "changes");
    return capture;
}

/// A unit that was done, and what is to be recorded of it.
struct CapturedUnit {
    const Unit* unit;
    UnitResult result;
    BatchRecord record;
};

CapturedUnit run_unit(const TransactionParts& parts, const Unit& unit, const Attempt& attempt) {
    const Clock::time_point start = Clock::now();
    CapturedUnit captured{&unit, {}, {}};
    BatchRecord& record = captured.record;
    record.attempts = attempt.number;
    record.started_at = utc_now();
    const Step& step = unit.step->plan->step;
    UnitResult& result = captured.result;
    if (unit.whole_step) result.summary_before = write_summary(parts, step, "before");
    result.capture = capture_unit(parts, unit, attempt);
    record.witness = witness_text(result.capture);
    record.collateral = result.capture.collateral;
    if (unit.whole_step) {
        require_verified(parts.target, parts.plan, step);
        result.summary_after = write_summary(parts, step, "after");
    }
    record.duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    failpoint("batch.captured");
    return captured;
}

/// What is about to be committed, encoded for the ledger, and as the target's journal is to have it.
struct Evidence {
    std::vector<std::unique_ptr<BatchEvidence>> batches;
    std::vector<CommittedBatch> committed;
};

void encode(const TransactionParts& parts, const CapturedUnit& unit, Evidence& evidence) {
    const PhaseTimer timer(Phase::encode);
    const auto add = [&](int step, const BatchCapture& rows, const BatchRecord& record) {
        auto batch = parts.journal.open_batch(step, unit.unit->batch, unit.unit->range);
        batch->add(rows);
        evidence.committed.push_back(
            {step, unit.unit->batch, unit.unit->range, rows.counts.changed(), batch->close(record), ""});
        evidence.batches.push_back(std::move(batch));
    };
    const StepCapture& capture = unit.result.capture;
    add(unit.unit->step->plan->step.number, capture.rows, unit.record);
    BatchRecord watched = unit.record;
    watched.collateral.clear();
    for (std::size_t i = 0; i < capture.watches.size(); ++i) {
        add(unit.unit->first_watch + static_cast<int>(i), capture.watches[i], watched);
    }
}

/// The evidence, in journal and ledger. Durable before the target commits: what is committed is never without
/// evidence.
std::vector<CommittedBatch> write_evidence(const TransactionParts& parts,
                                           const std::vector<CapturedUnit>& units,
                                           const std::string& transaction) {
    Evidence evidence;
    for (const CapturedUnit& unit : units) {
        if (!unit.unit->step->plan->step.only_verifies()) encode(parts, unit, evidence);
    }
    if (parts.fence) {
        for (const CommittedBatch& batch : evidence.committed) parts.fence->record(batch);
    }
    failpoint("batch.journaled");
    parts.journal.prepare(std::move(evidence.batches), transaction);
    return evidence.committed;
}

void require_same_transaction(Target& target, const std::string& transaction) {
    if (target.transaction_id() == transaction) return;
    throw Error(
        ExitCode::mismatch, "something in change ended the transaction, so part of it may be committed",
        "A procedure or function that commits cannot be audited. Look at the target before anything else.");
}

/// A ledger that cannot take the mark has the batch as 'prepared', which is decided in the same way.
void settle(Journal& journal, const TriedTransaction& tried) {
    if (tried.batches.empty()) return;
    try {
        journal.settle(tried.commit.outcome, tried.batches);
    } catch (const std::exception&) {
        if (tried.commit.outcome != Outcome::in_doubt) throw;
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
    std::vector<CapturedUnit> captured;
    for (const Unit& unit : units) captured.push_back(run_unit(parts, unit, attempt));
    require_same_transaction(parts.target, transaction);
    tried.batches = write_evidence(parts, captured, transaction);
    tried.commit = parts.target.commit();
    failpoint("batch.committed");
    settle(parts.journal, tried);
    for (CapturedUnit& unit : captured) {
        unit.result.duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
        tried.results.push_back(std::move(unit.result));
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
