#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "capture/capture.hpp"
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
};

/// What it gave.
struct UnitResult {
    StepCapture capture;
    std::string summary_before, summary_after;  ///< JSON; only of a whole step
    std::chrono::milliseconds duration{0};      ///< of its transaction, COMMIT included
};

/// What a transaction works with.
struct TransactionParts {
    const Plan& plan;
    Target& target;
    Journal& journal;
    Fence* fence;  ///< nullptr in a dry run
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
