#pragma once

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace datachange {

/// Options on what happens when something goes wrong: failing rows, retries, timeouts, --strict.
void add_failure_options(CLI::App* command, WorkOptions& work);
/// Options on how fast a batched run goes: workers, batch sizes, throttling.
void add_pace_options(CLI::App* command, RunOptions& run);

}  // namespace datachange
