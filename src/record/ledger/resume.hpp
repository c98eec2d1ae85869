#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"
#include "run/journal.hpp"

namespace datachange {

/// Makes a run that stopped, or that another ledger began, belong to the epoch of the header; all in the open
/// transaction. Journal::resume_run says what becomes of its batches.
///
/// @param steps as begin_step was given them; those that the run has must agree
/// @param committed what the target's journal has, of all steps
/// @throws Error (pending) if somebody with a greater epoch has the run; Error (mismatch) if its steps are
/// others; SQLite::Exception
PriorEvidence take_over_run(Ledger& ledger, const RunHeader& header, const std::vector<StepHeader>& steps,
                            const std::vector<CommittedBatch>& committed);

}  // namespace datachange
