#pragma once

#include <functional>
#include <memory>
#include <string>

#include "datachange/run.hpp"
#include "datachange/undo.hpp"
#include "plan/plan.hpp"
#include "run/journal.hpp"
#include "run/listener.hpp"
#include "run/stop.hpp"
#include "target/target.hpp"

namespace datachange {

/// Connects to the target that a URL, a path or (empty) libpq's environment names.
/// @param session the name that its sessions carry on the server
std::unique_ptr<Target> connect_target(const std::string& database, Engine engine,
                                       const std::string& journal_schema,
                                       const std::string& session = "datachange");

/// Who is at work: as given, else the user of this process.
std::string current_operator(const std::string& given);

/// Who has a run done, where that is not a person at a terminal.
struct Supervision {
    /// See RunParts::entered.
    std::function<void(Target&, const RunHeader&)> entered;
    std::string role;  ///< added to the run's owner: "for the queue"
};

/// Runs one definition with the concrete parts put together: what run_definition and the command `run` share.
/// @param stop asked from outside; may be nullptr.
/// @param supervision may be nullptr
RunResult execute_run(const RunOptions& options, Engine engine, Listener& listener, StopRequest* stop,
                      const Supervision* supervision = nullptr);
/// Goes on with a run likewise, for resume_run and the commands `resume` and `retry`.
RunResult execute_resume(const RunOptions& options, const ResumeOptions& resume, Engine engine,
                         Listener& listener, StopRequest* stop, const Supervision* supervision = nullptr);

/// Takes a run back, for undo_run and the command `undo`.
RunResult execute_undo(const RunOptions& options, const UndoOptions& undo, Engine engine, Listener& listener,
                       StopRequest* stop);
/// Goes on with an undo that had stopped.
RunResult execute_undo_resume(const RunOptions& options, const UndoOptions& undo, const ResumeOptions& resume,
                              Engine engine, Listener& listener, StopRequest* stop);

}  // namespace datachange
