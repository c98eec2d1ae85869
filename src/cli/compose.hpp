#pragma once

#include <atomic>
#include <memory>

#include "datachange/run.hpp"
#include "plan/plan.hpp"
#include "run/listener.hpp"
#include "target/target.hpp"

namespace datachange {

/// Connects to the target that a URL, a path or (empty) libpq's environment names.
std::unique_ptr<Target> connect_target(const std::string& database, Engine engine,
                                       const std::string& journal_schema);

/// Runs one definition with the concrete parts put together: what run_definition and the command `run` share.
/// @param stop set from outside to end after the batch in hand; may be nullptr.
RunResult execute_run(const RunOptions& options, Engine engine, Listener& listener,
                      const std::atomic<bool>* stop);

}  // namespace datachange
