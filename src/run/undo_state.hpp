#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run/fence.hpp"

namespace datachange {

// An undo stands in the target's journal under the version of the run that it takes back, and is told apart
// by its name, so that journals of any age can have one.

/// The name of an undo: "undo_of_" and the first eight digits of the run's UUID.
std::string undo_name(const std::string& uuid);

/// The run that a run takes back; nullptr if it is no undo. @param runs of the same version, or more
const JournalRun* reversed_run(const JournalRun& run, const std::vector<JournalRun>& runs);

/// The undo that took a run back, and was not taken back itself; nullptr if there is none.
const JournalRun* undone_by(const JournalRun& run, const std::vector<JournalRun>& runs);

/// An undo of the run that has begun and not ended; nullptr if there is none.
const JournalRun* unfinished_undo(const JournalRun& run, const std::vector<JournalRun>& runs);

}  // namespace datachange
