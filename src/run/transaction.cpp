#include "run/transaction.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>

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

/// Has the evidence of a unit's rows put together while they are captured.
class UnitRows final : public RowTaker {
public:
    UnitRows(const TransactionParts& parts, const Unit& unit)
        : m_journal(parts.journal), m_encoder(parts.encoder), m_unit(unit) {
        restart();
    }
    ~UnitRows() override { wait(); }

    void take(BatchCapture rows) override {
        note_mended(rows);
        if (m_encoder == nullptr) return add(rows);
        if (m_failed) rethrow();
        m_encoder->post([this, taken = std::make_shared<const BatchCapture>(std::move(rows))] {
            try {
                if (!m_failed) add(*taken);
            } catch (...) {
                m_failure = std::current_exception();
                m_failed = true;
            }
        });
    }
    void restart() override {
        wait();
        m_failure = nullptr;
        m_failed = false;
        m_evidence.reset();  // first: the batch can be in the ledger but once
        m_evidence = m_journal.open_batch(number(), m_unit.batch, m_unit.range);
        m_mended.clear();
    }
    std::unique_ptr<BatchEvidence> take_evidence() {
        wait();
        if (m_failed) rethrow();
        return std::move(m_evidence);
    }
    std::vector<std::string> take_mended() { return std::move(m_mended); }

private:
    int number() const { return m_unit.step->plan->step.number; }

    void add(const BatchCapture& rows) {
        const PhaseTimer timer(Phase::encode);
        m_evidence->add(rows);
    }
    void note_mended(const BatchCapture& rows) {
        if (!m_unit.failed_before) return;
        for (const AuditedRow& row : rows.rows) {
            if (m_unit.failed_before->contains({number(), row.identifier}))
                m_mended.push_back(row.identifier);
        }
    }
    /// For what the encoder has in hand.
    void wait() {
        if (m_encoder != nullptr) m_encoder->call([] {});
    }
    [[noreturn]] void rethrow() {
        wait();
        std::rethrow_exception(m_failure);
    }

    Journal& m_journal;
    TaskThread* m_encoder;
    const Unit& m_unit;
    std::unique_ptr<BatchEvidence> m_evidence;
    std::vector<std::string> m_mended;
    std::exception_ptr m_failure;  ///< of the encoder
    std::atomic<bool> m_failed{false};
};

/// What a section `undo` does to the rows that another run changed: all of them at once, for it may not know
/// of batches.
StepCapture undo_by_hand(const TransactionParts& parts, const Unit& unit, RowTaker& rows) {
    const ReadyStep& step = *unit.step;
    const RowSet images =
        unit.slice ? *unit.slice : parts.journal.spooled(step.plan->step.number, 0, step.undo_rows);
    StepCapture capture = capture_keys(parts.target, step.capture, step.keys_taken_back(images));
    rows.take(capture.take_rows());
    return capture;
}

/// Puts rows back: those of a slice, or piece by piece those of the whole step.
StepCapture put_back(const TransactionParts& parts, const Unit& unit, RowTaker& rows) {
    const ReadyStep& step = *unit.step;
    if (unit.slice) return capture_undo(parts.target, step.capture, *step.undo, *unit.slice, rows);
    const int number = step.plan->step.number;
    StepCapture sum;
    for (std::uint64_t from = 0;;) {
        const RowSet piece = parts.journal.spooled(number, from, rows_of_a_piece);
        if (piece.empty()) return sum;
        add_undone(sum, capture_undo(parts.target, step.capture, *step.undo, piece, rows));
        from += piece.size();
    }
}

StepCapture capture_rows(const TransactionParts& parts, const Unit& unit, const Attempt& attempt,
                         RowTaker& rows) {
    if (unit.step->by_hand) return undo_by_hand(parts, unit, rows);
    if (unit.step->undo) return put_back(parts, unit, rows);
    const CaptureSpec& spec = unit.step->capture;
    const bool lock_first = attempt.isolation == Isolation::read_committed;
    if (unit.whole_step) {
        return capture_whole(parts.target, spec,
                             {unit.step->source, cut_of(*unit.step), unit.planned, lock_first}, rows);
    }
    StepCapture capture = unit.slice ? capture_slice(parts.target, spec, *unit.slice)
                                     : capture_range(parts.target, spec, unit.range, lock_first);
    rows.take(capture.take_rows());
    return capture;
}

/// A unit that was done, and what is to be recorded of it.
struct CapturedUnit {
    const Unit* unit;
    UnitResult result;
    BatchRecord record;
    std::unique_ptr<BatchEvidence> rows;  ///< none of a step that only verifies
};

void capture_unit(const TransactionParts& parts, const Attempt& attempt, CapturedUnit& captured) {
    const Unit& unit = *captured.unit;
    const Step& step = unit.step->plan->step;
    if (step.only_verifies()) return;
    UnitRows rows(parts, unit);
    StepCapture capture = capture_rows(parts, unit, attempt, rows);
    const std::uint64_t changed = unit.changed_before + capture.rows.counts.changed();
    require_expected(parts.plan, step, changed, !unit.whole_step, "changes");
    captured.record.witness = witness_text(capture);
    captured.record.collateral = capture.collateral;
    captured.record.conflicts = capture.conflicts;
    for (RowConflict& conflict : captured.record.conflicts) conflict.step = step.number;
    captured.result.capture = std::move(capture);
    captured.result.mended = rows.take_mended();
    captured.rows = rows.take_evidence();
}

CapturedUnit run_unit(const TransactionParts& parts, const Unit& unit, const Attempt& attempt) {
    const Clock::time_point start = Clock::now();
    CapturedUnit captured{&unit, {}, {}, {}};
    BatchRecord& record = captured.record;
    record.attempts = attempt.number;
    record.started_at = utc_now();
    const Step& step = unit.step->plan->step;
    UnitResult& result = captured.result;
    if (unit.whole_step) result.summary_before = write_summary(parts, step, "before");
    capture_unit(parts, attempt, captured);
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

void close_batches(const TransactionParts& parts, CapturedUnit& captured, Evidence& evidence) {
    const PhaseTimer timer(Phase::encode);
    const Unit& unit = *captured.unit;
    const auto add = [&](int step, std::unique_ptr<BatchEvidence> batch, const RowCounts& counts,
                         const BatchRecord& record) {
        evidence.committed.push_back(
            {step, unit.batch, unit.range, counts.changed(), batch->close(record), ""});
        evidence.batches.push_back(std::move(batch));
    };
    const StepCapture& capture = captured.result.capture;
    add(unit.step->plan->step.number, std::move(captured.rows), capture.rows.counts, captured.record);
    BatchRecord watched = captured.record;
    watched.collateral.clear();
    for (std::size_t i = 0; i < capture.watches.size(); ++i) {
        const int number = unit.first_watch + static_cast<int>(i);
        auto batch = parts.journal.open_batch(number, unit.batch, unit.range);
        batch->add(capture.watches[i]);
        add(number, std::move(batch), capture.watches[i].counts, watched);
    }
}

/// The evidence, in journal and ledger. Durable before the target commits: what is committed is never without
/// evidence.
std::vector<CommittedBatch> write_evidence(const TransactionParts& parts, std::vector<CapturedUnit>& units,
                                           const std::string& transaction) {
    Evidence evidence;
    for (CapturedUnit& unit : units) {
        if (unit.rows) close_batches(parts, unit, evidence);
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

Cut cut_of(const ReadyStep& step) {
    if (step.plan->batching == Batching::key_list) return Cut::key_list;
    const bool ranges =
        step.plan->batching == Batching::range && !step.plan->ranges_over_keys && step.no_unique_key.empty();
    return ranges ? Cut::ranges : Cut::none;
}

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
