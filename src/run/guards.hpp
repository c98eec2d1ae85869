#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "capture/capture.hpp"
#include "plan/plan.hpp"
#include "run/fence.hpp"
#include "run/marks.hpp"
#include "run/preflight.hpp"
#include "target/target.hpp"

namespace datachange {

/// A version is not run since it has run already, or somebody has marked it as done: nothing is left to do.
class AlreadyDone : public Error {
public:
    using Error::Error;
};

/// Decides by the journal whether a version is run anew, or a run of it goes on that had stopped.
/// @param mark the one that decides on the version; nullptr: none does. One that says `pending` has it run
/// anew, as `again` does.
/// @param stalled tells of an active run whether nobody works on it any more
/// @return the run that goes on, if one does
/// @throws Error (failed) if it must not be run (again): it has run, an edited definition has, or somebody
/// has marked it as done. @throws
/// Error
///         (pending) if somebody is running it.
std::optional<JournalRun> run_to_continue(const Plan& plan, const std::vector<JournalRun>& runs,
                                          const Mark* mark, bool again,
                                          const std::function<bool(const JournalRun&)>& stalled);

/// The same for a plan that takes a run back: the undo of that run which goes on, if one does.
std::optional<JournalRun> undo_to_continue(const Plan& plan, const std::vector<JournalRun>& runs,
                                           const std::function<bool(const JournalRun&)>& stalled);

/// @throws Error (failed) if the definition is not the one that the run began with.
void require_same_definition(const Plan& plan, const JournalRun& run);

/// @throws Error (pending) that says who holds the version.
[[noreturn]] void refuse_running(const JournalRun& run);

/// @throws Error (failed) if a set cannot be audited as planned: a NULL in its key, or ranges without a
/// unique key.
void require_sound_set(const Plan& plan, const ReadyStep& step, const SetSize& size, bool in_ranges);

/// `expect-rows` against a number of rows. @param what "changes" or "plans to change".
void require_expected(const Plan& plan, const Step& step, std::uint64_t rows, bool only_most,
                      const std::string& what);

/// Runs `verify`. @throws Error (failed) with the count and first rows if it returns any.
void require_verified(Target& target, const Plan& plan, const Step& step);

}  // namespace datachange
