#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.hpp"
#include "run/journal.hpp"
#include "run/runner.hpp"

namespace datachange {

/// What is recorded of a run that begins now, under a new UUID.
RunHeader run_header(const Plan& plan, const Target& target, const RunParts& parts, Mode mode);

/// The steps of a plan, and behind them the tables that they watch.
std::vector<StepHeader> step_headers(const Plan& plan);

/// A result in which nothing has been done yet, with an entry for each of step_headers. @param run its number
RunResult new_result(const Plan& plan, const RunHeader& header, std::int64_t run);

}  // namespace datachange
