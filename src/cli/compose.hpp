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

/// Its name without password, as it is known before anybody connects; "" where the URL cannot be read.
std::string target_name(const std::string& database, Engine engine);

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
/// That enough approvals are there for a run that comes later, as far as can be told now: rows are not
/// compared.
/// @param run UUID of the run that would go on; "": one would begin
/// @throws Error (failed) as the run itself
void require_approved(const RunOptions& options, Engine engine, const std::string& run);
/// Goes on with a run likewise, for resume_run and the commands `resume` and `retry`.
RunResult execute_resume(const RunOptions& options, const ResumeOptions& resume, Engine engine,
                         Listener& listener, StopRequest* stop, const Supervision* supervision = nullptr);

/// Takes a run back, for undo_run and the command `undo`.
RunResult execute_undo(const RunOptions& options, const UndoOptions& undo, Engine engine, Listener& listener,
                       StopRequest* stop);
/// Goes on with an undo that had stopped.
RunResult execute_undo_resume(const RunOptions& options, const UndoOptions& undo, const ResumeOptions& resume,
                              Engine engine, Listener& listener, StopRequest* stop);

/// Calls the hooks of what has become of a run that nobody works on, and waits for them. @param listener is
/// told of those that fail
void call_hooks(const RunOptions& options, const RunNotice& notice, Listener& listener);

}  // namespace datachange
