#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/chosen_run.hpp"
#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/definition_groups.hpp"
#include "cli/on_targets.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "cli/work_options.hpp"
#include "definition/definition.hpp"
#include "report/json.hpp"
#include "report/progress.hpp"
#include "report/run_report.hpp"
#include "run/owner.hpp"

namespace datachange {

namespace {

struct RunCommandOptions {
    std::string definition;
    WorkOptions work;
};

struct ResumeCommandOptions {
    std::string run;
    bool take_over = false;
    bool failed_rows = false;  ///< the command is `retry`
    bool restored = false;
    WorkOptions work;
};

ProgressStyle progress_style(const OutputOptions& output) {
    if (output.progress == "none") return ProgressStyle::none;
    if (output.progress == "json") return ProgressStyle::json;
    if (output.progress == "bar") return ProgressStyle::bar;
    if (output.progress == "lines") return ProgressStyle::lines;
    return is_terminal(STDERR_FILENO) ? ProgressStyle::bar : ProgressStyle::lines;
}

void write_stderr(const std::string& text) {
    // one write a piece, so that lines of two processes on one terminal do not mix
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // decoration: nothing depends on it
}

RunOptions work_options(const Settings& settings, const std::string& definition, const WorkOptions& work) {
    return run_options(settings, find_definition(settings.dir, definition).path, work);
}

/// A run that somebody works on does not change hands: it is told to go on where it is.
bool unpause(const Settings& settings, const ResumeCommandOptions& options, const ChosenRun& run,
             const OutputOptions& output) {
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    if (!run.journal || !run.journal->active() || options.take_over || stalled(*run.journal, *target))
        return false;
    Fence fence(*target);
    RunRequests requests = fence.requests(run.uuid);
    if (!requests.pause) return false;
    requests.pause = false;
    requests.by = current_operator(settings.operator_name);
    fence.request(run.uuid, requests);
    if (output.json) {
        fmt::print("{}\n", JsonObject{}.add("run", run.uuid).add("requested", "resume").text());
    } else {
        fmt::print("run {} goes on where it is: {}\n", run.uuid.substr(0, 8), run.journal->owner);
    }
    return true;
}

RunResult run_one(const Settings& settings, const RunCommandOptions& options, Listener& listener,
                  StopRequest& stop) {
    return execute_run(work_options(settings, options.definition, options.work), settings.engine(), listener,
                       &stop);
}

/// One of several targets, unless the definition is not meant for it.
void run_one_of(const Settings& settings, const RunCommandOptions& options, Listener& listener,
                StopRequest& stop, TargetOutcome& outcome) {
    const DefinitionGroups groups(find_definition(settings.dir, options.definition));
    groups.require_known(settings);
    if (groups.exclude(settings.group)) {
        outcome.state = "excluded";
        outcome.note = groups.text();
        return;
    }
    const RunResult result = run_one(settings, options, listener, stop);
    outcome.state = result.state;
    outcome.rows = result.rows;
    outcome.runs = {result.run};
    outcome.result = run_json(result);
}

/// What can be known before any of them is begun: that each has the definition, and whether it is meant for
/// it.
DefinitionFile require_definition_for_all(const Settings& settings, const RunCommandOptions& options) {
    require_no_timings(options.work);
    DefinitionFile file;
    for (const TargetConfig& target : settings.chosen) {
        const Settings own = settings.for_target_without_url(target);
        file = find_definition(own.dir, options.definition);
        DefinitionGroups(file).require_known(own);
    }
    return file;
}

int run(const Settings& settings, const RunCommandOptions& options, const OutputOptions& output) {
    if (settings.several_targets()) {
        const DefinitionFile file = require_definition_for_all(settings, options);
        const auto work = [&](const Settings& own, Listener& listener, StopRequest& stop,
                              TargetOutcome& outcome) { run_one_of(own, options, listener, stop, outcome); };
        return work_on_targets(settings, {file.version + " " + file.name, options.work.run.dry_run, work},
                               output);
    }
    settings.require_database();
    const DefinitionGroups groups(find_definition(settings.dir, options.definition));
    groups.require_meant_for(settings);
    StopRequest stop;
    const SignalWatch signals(stop);
    const auto listener = listener_for(output);
    print_result(run_one(settings, options, *listener, stop), output);
    return 0;
}

int resume(const Settings& settings, const ResumeCommandOptions& options, const OutputOptions& output) {
    settings.require_database();
    const ChosenRun chosen =
        choose_run(settings, *connect_target(settings.database, settings.engine(), settings.journal_schema),
                   options.run);
    if (!options.failed_rows && unpause(settings, options, chosen, output)) return 0;
    StopRequest stop;
    const SignalWatch signals(stop);
    const auto listener = listener_for(output);
    const ResumeOptions how{chosen.uuid, options.take_over, options.failed_rows, options.restored, false};
    const auto undo = undo_options(settings, chosen.uuid);
    const RunResult result = undo ? execute_undo_resume(undo_work_options(settings, options.work), *undo, how,
                                                        settings.engine(), *listener, &stop)
                                  : execute_resume(work_options(settings, chosen.version, options.work), how,
                                                   settings.engine(), *listener, &stop);
    print_result(result, output);
    const bool failed_again = options.failed_rows && !result.failures.empty();
    return failed_again ? static_cast<int>(ExitCode::pending) : 0;
}

}  // namespace

std::unique_ptr<Listener> listener_for(const OutputOptions& output) {
    if (output.quiet) return std::make_unique<Listener>();
    return show_progress(progress_style(output), wants_color(STDERR_FILENO), write_stderr, terminal_width);
}

TargetsView targets_view(const OutputOptions& output) {
    return {progress_style(output), output.quiet, wants_color(STDERR_FILENO), write_stderr, terminal_width};
}

void print_result(const RunResult& result, const OutputOptions& output) {
    fmt::print("{}", output.json ? run_json(result) : run_text(result));
}

namespace {

/// A hook gets the settings in force, and none of the variables that a target's URL stands in.
HookOptions hook_options(const Settings& settings) {
    HookOptions hooks = settings.hooks;
    hooks.environment = {
        {"DATACHANGE_TARGET", settings.target},
        {"DATACHANGE_GROUP", settings.group},
        {"DATACHANGE_DIR", std::filesystem::absolute(settings.dir).string()},
        {"DATACHANGE_SCHEMA_DIR",
         settings.schema_dir.empty() ? "" : std::filesystem::absolute(settings.schema_dir).string()}};
    for (const TargetConfig& target : settings.config.targets) {
        if (!target.url.env.empty()) hooks.withheld.push_back(target.url.env);
    }
    return hooks;
}

}  // namespace

RunOptions run_options(const Settings& settings, const std::string& path, RunOptions given) {
    given.database = settings.database;
    given.definition = path;
    given.ledger = settings.ledger;
    given.csv_dir = settings.csv_dir;
    given.journal_schema = settings.journal_schema;
    given.operator_name = settings.operator_name;
    given.redact_key = settings.redact_key;
    given.batch_size = settings.batch_size;
    given.batch_threshold = settings.batch_threshold;
    given.hooks = hook_options(settings);
    given.approvals = {settings.approvals_required, settings.allowed_signers, settings.approval_drift,
                       settings.target};
    return given;
}

void add_run(CommandTree& tree) {
    const auto options = std::make_shared<RunCommandOptions>();
    CLI::App* command =
        tree.add("run", "Run one definition and keep the evidence; a run that stopped goes on",
                 "datachange run backfill_user_names --database sqlite:shop.db --dry-run",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return run(settings, *options, output);
                 });
    RunOptions& work = options->work.run;
    command->add_option("definition", options->definition, "Version, name or file")->required();
    command->add_flag("--dry-run", work.dry_run, "Do everything, write the CSVs, then roll back");
    command->add_flag("--single-transaction", work.single_transaction,
                      "One transaction, however large the set");
    command->add_flag("--again", work.again, "Run a version that has run already");
    tree.add_work_on_targets(command, options->work);
}

void add_resume(CommandTree& tree) {
    const auto options = std::make_shared<ResumeCommandOptions>();
    CLI::App* command =
        tree.add("resume", "Go on with a run that stopped, was killed, or is paused", "datachange resume 3",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return resume(settings, *options, output);
                 });
    CommandTree::add_run_name(command, options->run);
    command->add_flag("--take-over", options->take_over, "Although somebody seems to be working on it");
    command->add_flag("--restored", options->restored,
                      "Although the target does not know the run: it was restored to a state before it");
    tree.add_work(command, options->work);
}

void add_retry(CommandTree& tree) {
    const auto options = std::make_shared<ResumeCommandOptions>();
    options->failed_rows = true;
    CLI::App* command =
        tree.add("retry", "Try only the rows of a run again that failed", "datachange retry 3",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return resume(settings, *options, output);
                 });
    CommandTree::add_run_name(command, options->run);
    tree.add_work(command, options->work);
}

}  // namespace datachange
