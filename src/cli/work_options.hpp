#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace datachange {

/// An option for a duration: "500ms", "5s", "2min", "1h"; a number alone is seconds.
CLI::Option* add_duration_option(CLI::App* command, const std::string& name,
                                 std::function<void(std::chrono::milliseconds)> take,
                                 const std::string& description);
/// @param duration milliseconds, or an optional of them, that outlives the command
template <typename Duration>
CLI::Option* add_duration(CLI::App* command, const std::string& name, Duration& duration,
                          const std::string& description) {
    return add_duration_option(
        command, name, [&duration](std::chrono::milliseconds given) { duration = given; }, description);
}

/// The settings and what the command line says of how to run, as options of a run.
/// @param path of the definition; "": the run needs none
RunOptions run_options(const Settings& settings, const std::string& path, const WorkOptions& work);

/// Options on what happens when something goes wrong: failing rows, retries, timeouts, --strict.
void add_failure_options(CLI::App* command, WorkOptions& work);
/// Options on how fast a batched run goes: workers, batch sizes, throttling.
void add_pace_options(CLI::App* command, RunOptions& run);

}  // namespace datachange
