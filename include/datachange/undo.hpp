#pragma once

#include <string>

#include "datachange/run.hpp"

namespace datachange {

/// What is done with a row that is not any more what the run left.
enum class OnConflict {
    stop,   ///< nothing of the batch is changed
    skip,   ///< it stays as it is
    force,  ///< it gets its values of before the run all the same
};

/// "stop", "skip", "force"
const char* on_conflict_name(OnConflict on_conflict) noexcept;

/// Which run is to be taken back, and how.
struct UndoOptions {
    std::string run;  ///< its number in the ledger, or the beginning of its UUID
    OnConflict on_conflict = OnConflict::stop;
    bool partial = false;      ///< although triggers or cascades changed rows that the ledger has no images of
    bool from_ledger = false;  ///< from the images, although the definition has a section `undo`
    std::string ticket;        ///< of the undo itself
};

/// Takes a run back, as `datachange undo` does: a run of its own, with evidence of its own. An undo of the run that
/// had stopped goes on instead.
/// @param options of RunOptions; `definition` is not used
/// @throws Error as run_definition
RunResult undo_run(const RunOptions& options, const UndoOptions& undo);

}  // namespace datachange
