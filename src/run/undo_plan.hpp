#pragma once

#include <set>
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
    bool by_hand = false;  ///< the section `undo` of the definition does it
};

/// What a run that takes another one back works with, besides its plan.
struct UndoRun {
    UndoSource& source;
    OnConflict on_conflict = OnConflict::stop;
    bool partial = false;         ///< although the run changed rows that there are no images of
    bool from_ledger = false;     ///< although the definition has a section `undo`
    std::vector<UndoStep> steps;  ///< as those of the plan
};

/// The numbers of the steps whose definition has a section `undo`; none of an undo.
std::set<int> steps_with_undo(const UndoneRun& undone, Engine engine);

/// The plan of an undo: the steps of the run in reverse order. Of tables that were changed together (a step
/// and what it watches) rows are put back parents first, and those that had come go children first. Its
/// definition is a text that says so. A step with a section `undo` of its own is planned as that section,
/// with the rows that the run changed as its set.
/// @param steps filled with what each step of the plan puts back
/// @throws Error (failed) if the target does not know the run, or it was taken back already
Plan plan_undo(Target& target, UndoSource& source, const RunOptions& options, const std::string& ticket,
               std::vector<UndoStep>& steps);

}  // namespace datachange
