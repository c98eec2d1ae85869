#pragma once

#include "cli/commands.hpp"
#include "migrate/worker.hpp"
#include "run/stop.hpp"

namespace datachange {

/// Works on the queue of one target until it is asked to stop: what the command `work` does. May be called in
/// several threads at once, for several targets.
/// @param stop outlives it; @return the exit status
/// @throws Error as work_on_queue
int work_on_target(const Settings& settings, const WorkerOptions& worker, const WorkOptions& work,
                   const OutputOptions& output, StopRequest& stop);

}  // namespace datachange
