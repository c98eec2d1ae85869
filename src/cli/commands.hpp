#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/settings.hpp"
#include "datachange/undo.hpp"
#include "report/targets_progress.hpp"
#include "run/listener.hpp"

namespace datachange {

class CommandTree;

/// How results are printed.
struct OutputOptions {
    bool json = false;
    bool quiet = false;
    std::string progress = "auto";  ///< auto | bar | lines | json | none
};

/// The settings as options of a run. @param path of the definition; @param given what they are put into
RunOptions run_options(const Settings& settings, const std::string& path, RunOptions given = {});

/// What `run`, `resume` and `retry` have in common.
struct WorkOptions {
    RunOptions run;        ///< what the command line says of how to run; the settings are put in later
    std::string on_error;  ///< stop | skip; "": as the definition says
};

/// The progress of a run as the command line asks for it.
std::unique_ptr<Listener> listener_for(const OutputOptions& output);
/// The same for a command on several targets; whoever made a SignalWatch does it before.
TargetsView targets_view(const OutputOptions& output);
void print_result(const RunResult& result, const OutputOptions& output);

/// An undo with the options that it began with, by the ledger; nothing if the run is none.
std::optional<UndoOptions> undo_options(const Settings& settings, const std::string& uuid);
/// The options of a run that needs no definition.
RunOptions undo_work_options(const Settings& settings, const WorkOptions& work);

// Each adds one command.
void add_new(CommandTree& tree);
void add_init(CommandTree& tree);
void add_check(CommandTree& tree);
void add_run(CommandTree& tree);
void add_resume(CommandTree& tree);
void add_retry(CommandTree& tree);
void add_approve(CommandTree& tree);
void add_undo(CommandTree& tree);
void add_enqueue(CommandTree& tree);
void add_work(CommandTree& tree);
void add_queue(CommandTree& tree);
void add_pause(CommandTree& tree);
void add_cancel(CommandTree& tree);
void add_throttle(CommandTree& tree);
void add_migrate(CommandTree& tree);
void add_mark(CommandTree& tree);
void add_abort_if_pending(CommandTree& tree);
void add_status(CommandTree& tree);
void add_runs(CommandTree& tree);
void add_show(CommandTree& tree);
void add_history(CommandTree& tree);
void add_diff(CommandTree& tree);
void add_query(CommandTree& tree);
void add_completion(CommandTree& tree);
void add_adopt(CommandTree& tree);
void add_share_files(CommandTree& tree);
void add_export(CommandTree& tree);
void add_verify(CommandTree& tree);
void add_ledger(CommandTree& tree);

}  // namespace datachange
