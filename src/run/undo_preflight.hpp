#pragma once

#include "run/preflight.hpp"
#include "run/undo_plan.hpp"

namespace datachange {

/// The same as check_plan for an undo: that every table is there, that its rows can be named by columns of
/// their own, and that the images have all that is needed to put them back. Opens and ends a read-only
/// transaction.
///
/// @throws Error (failed) that says what is missing
Preflight check_undo(Target& target, const Plan& plan, const UndoRun& undo);

}  // namespace datachange
