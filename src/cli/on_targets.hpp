#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "cli/commands.hpp"
#include "report/target_outcome.hpp"
#include "run/stop.hpp"

namespace datachange {

/// Calls work(0) to work(count - 1), begun in this order, at most `jobs` at once, and waits for all. @param
/// work must not throw
void in_parallel(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work);

/// What a command does on each of several targets.
struct WorkOnTargets {
    std::string title;  ///< "20260301120000 backfill_names"
    bool dry_run = false;
    /// On one of them, with its settings: fills in what became of it. What it throws becomes the outcome's
    /// error.
    std::function<void(const Settings&, Listener&, StopRequest&, TargetOutcome&)> work;
};

/// @throws Error (usage) if --timings is given, which tells of one run at a time
void require_no_timings(const WorkOptions& work);

/// Works on the chosen targets beside each other, as --jobs and --fail-fast say, with progress on stderr;
/// then prints what became of them. Ctrl-C stops all of them after the batch in hand.
/// @return the exit status
int work_on_targets(const Settings& settings, const WorkOnTargets& work, const OutputOptions& output);

}  // namespace datachange
