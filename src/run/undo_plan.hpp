#pragma once

#include <string>
#include <vector>

#include "datachange/undo.hpp"
#include "plan/plan.hpp"
#include "run/undo_source.hpp"
#include "target/target.hpp"

namespace datachange {

/// What one step of an undo puts back.
struct UndoStep {
    const UndoTable* table = nullptr;
    UndoKind kind = UndoKind::all;
};

/// What a run that takes another one back works with, besides its plan.
struct UndoRun {
    UndoSource& source;
    OnConflict on_conflict = OnConflict::stop;
    bool partial = false;         ///< although the run changed rows that there are no images of
    std::vector<UndoStep> steps;  ///< as those of the plan
};

/// The plan of an undo: the steps of the run in reverse order. Of tables that were changed together (a step and what
/// it watches) rows are put back parents first, and those that had come go children first. Its definition is a text
/// that says so.
/// @param steps filled with what each step of the plan puts back
/// @throws Error (failed) if the target does not know the run, or it was taken back already
Plan plan_undo(Target& target, const UndoSource& source, const RunOptions& options, const std::string& ticket,
               std::vector<UndoStep>& steps);

}  // namespace datachange
