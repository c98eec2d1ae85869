#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/capture.hpp"
#include "plan/plan.hpp"
#include "run/fence.hpp"
#include "run/preflight.hpp"
#include "target/target.hpp"

namespace datachange {

/// @throws Error (failed) if a version with this journal must not be run (again): it has run, an edited
/// definition has
///         run, or part of it has. @throws Error (pending) if it is running.
void require_runnable(const Plan& plan, const std::vector<JournalRun>& runs, bool again);

/// @throws Error (failed) if a set cannot be audited as planned: a NULL in its key, or ranges without a
/// unique key.
void require_sound_set(const Plan& plan, const ReadyStep& step, const SetSize& size, bool in_ranges);

/// `expect-rows` against a number of rows. @param what "changes" or "plans to change".
void require_expected(const Plan& plan, const Step& step, std::uint64_t rows, bool only_most,
                      const std::string& what);

/// Runs `verify`. @throws Error (failed) with the count and first rows if it returns any.
void require_verified(Target& target, const Plan& plan, const Step& step);

}  // namespace datachange
