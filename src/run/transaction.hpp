#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "capture/capture.hpp"
#include "capture/whole_step.hpp"
#include "core/task_thread.hpp"
#include "plan/plan.hpp"
#include "run/fence.hpp"
#include "run/journal.hpp"
#include "run/preflight.hpp"
#include "target/target.hpp"

namespace datachange {

/// One batch of one step that is to be run.
struct Unit {
    const ReadyStep* step = nullptr;
    std::string batch = "1";  ///< its path
    KeyRange range;
    const RowSet* slice = nullptr;     ///< by key list: the spooled rows
    bool whole_step = false;           ///< then summary and verify belong to the transaction
    std::uint64_t changed_before = 0;  ///< rows that earlier batches of the step changed
    int first_watch = 0;               ///< the number that the step's first watched table is recorded under
    std::uint64_t planned = 0;         ///< rows of a whole step when they were counted
    /// Step and identifier of rows that could not be changed before; nullptr: there are none.
    const std::set<std::pair<int, std::string>>* failed_before = nullptr;
};

/// What it gave.
struct UnitResult {
    StepCapture capture;                        ///< of the rows nothing but the counts
    std::vector<std::string> mended;            ///< identifiers of the rows that had failed before
    std::string summary_before, summary_after;  ///< JSON; only of a whole step
    std::chrono::milliseconds duration{0};      ///< of its transaction, COMMIT included
};

/// What a transaction works with.
struct TransactionParts {
    const Plan& plan;
    Target& target;
    Journal& journal;
    Fence* fence;  ///< nullptr in a dry run
    /// Puts the evidence of captured rows together while the target changes the next ones; nullptr: that is
    /// done at once, as where several workers are busy anyway.
    TaskThread* encoder = nullptr;
};

/// Which try of a transaction it is.
struct Attempt {
    int number = 1;
    Isolation isolation = Isolation::repeatable_read;
};

/// How a try ended.
struct TriedTransaction {
    CommitResult commit;
    std::vector<UnitResult> results;      ///< one a unit
    std::vector<CommittedBatch> batches;  ///< what the journal in the target holds of them if it committed
};

/// How a whole step may be cut within its transaction: as batches of it would be.
Cut cut_of(const ReadyStep& step);

/// Found in the fence: somebody asks the run to pause or to end. The batch was not begun.
struct RequestPending {
    RunRequests requests;
};

/// Runs units in one transaction, from fence to 'committed': the protocol that keeps target and ledger in
/// agreement.
/// @throws RequestPending; Error; the caller rolls back.
TriedTransaction run_transaction(const TransactionParts& parts, const std::vector<Unit>& units,
                                 const Attempt& attempt);

/// Runs a step's summary, if it has one, and records it. @return its rows as JSON, or "".
std::string write_summary(const TransactionParts& parts, const Step& step, const std::string& moment);

}  // namespace datachange
