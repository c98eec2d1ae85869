#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/chosen_run.hpp"
#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "core/clock.hpp"
#include "core/process.hpp"
#include "definition/definition.hpp"
#include "report/json.hpp"
#include "run/owner.hpp"

namespace datachange {

namespace {

struct Options {
    std::string run;
    std::string request;                    ///< pause | cancel | throttle
    std::uint64_t max_rows_per_second = 0;  ///< 0: no limit
};

/// The file that the run began with, unless it is gone or was edited.
std::optional<std::string> definition_of(const Settings& settings, const JournalRun& run) {
    try {
        const DefinitionFile file = find_definition(settings.dir, run.version);
        if (read_definition(file, settings.engine()).sha256 == run.definition_sha256) return file.path;
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): then it cannot be used
    }
    return std::nullopt;
}

RunNotice cancelled_notice(const JournalRun& run, const Target& target) {
    RunNotice notice;
    notice.event = RunEvent::failed;
    notice.state = "cancelled";
    notice.uuid = run.uuid;
    notice.version = run.version;
    notice.name = run.name;
    notice.ticket = run.ticket;
    notice.target = target.name();
    notice.rows_changed = run.rows_changed;
    notice.error = "the run was cancelled";
    notice.exit_status = ExitCode::failed;
    return notice;
}

/// Asks nobody, as nobody works on the run: decides what is in doubt, and ends it for good. Without the
/// definition only the target is told, which keeps the run from going on.
void cancel_now(const Settings& settings, Target& target, const JournalRun& run, const std::string& who) {
    OutputOptions warnings;
    warnings.progress = "none";
    const auto listener = listener_for(warnings);
    if (const auto undo = undo_options(settings, run.uuid)) {
        ResumeOptions resume;
        resume.run = run.uuid;
        resume.cancel = true;
        execute_undo_resume(run_options(settings, ""), *undo, resume, settings.engine(), *listener, nullptr);
        return;
    }
    if (const auto path = definition_of(settings, run)) {
        ResumeOptions resume;
        resume.run = run.uuid;
        resume.cancel = true;
        execute_resume(run_options(settings, *path), resume, settings.engine(), *listener, nullptr);
        return;
    }
    constexpr std::size_t every_step = 1'000'000;  // which of them are watched tables, nobody can say
    Fence fence(target);
    fence.take_over(run, {who, host_name(), ::getpid(), utc_now()}, "", 0, [] {});
    fence.finish("cancelled", every_step, utc_now());
    call_hooks(run_options(settings, ""), cancelled_notice(run, target), *listener);
}

void require_going_on(const JournalRun& run, const std::string& request) {
    if (run.active()) return;
    throw Error(ExitCode::failed,
                fmt::format("run {} of version {} is {}: there is nothing to {}", run.uuid.substr(0, 8),
                            run.version, run.state, request),
                "Nothing was asked of it.");
}

void print_answer(const JournalRun& run, const std::string& request, const std::string& answer,
                  const OutputOptions& output) {
    if (output.json) {
        fmt::print("{}\n", JsonObject{}
                               .add("run", run.uuid)
                               .add("version", run.version)
                               .add("requested", request)
                               .add("answer", answer)
                               .text());
    } else {
        fmt::print("run {} of version {}: {}\n", run.uuid.substr(0, 8), run.version, answer);
    }
}

int request(const Settings& settings, const Options& options, const OutputOptions& output) {
    settings.require_database();
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    target->require_writable();
    const JournalRun run = choose_journal_run(settings, *target, options.run);
    const std::string who = current_operator(settings.operator_name);
    const bool worked_on = run.active() && !stalled(run, *target);
    if (options.request == "cancel" && !worked_on && run.state != "done" && run.state != "cancelled") {
        cancel_now(settings, *target, run, who);
        print_answer(run, options.request, "cancelled; nobody was working on it", output);
        return 0;
    }
    require_going_on(run, options.request);
    Fence fence(*target);
    RunRequests requests = fence.requests(run.uuid);
    requests.by = who;
    if (options.request == "pause") requests.pause = true;
    if (options.request == "cancel") requests.cancel = true;
    if (options.request == "throttle") requests.max_rows_per_second = options.max_rows_per_second;
    fence.request(run.uuid, requests);
    print_answer(run, options.request,
                 worked_on
                     ? fmt::format("asked to {} after the batch in hand ({})", options.request, run.owner)
                     : fmt::format("asked to {}, though nobody seems to work on it", options.request),
                 output);
    return 0;
}

struct Request {
    CLI::App* command;
    std::shared_ptr<Options> options;
};

Request add_request(CommandTree& tree, const std::string& name, const std::string& description,
                    const std::string& example) {
    const auto options = std::make_shared<Options>();
    options->request = name;
    CLI::App* command = tree.add(name, description, example,
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return request(settings, *options, output);
                                 });
    CommandTree::add_run_name(command, options->run);
    tree.add_target(command);
    tree.add_ledger(command);
    tree.add_operator(command);
    tree.add_json(command);
    return {command, options};
}

}  // namespace

void add_pause(CommandTree& tree) {
    add_request(tree, "pause", "Have a run wait after the batch in hand, until `resume`",
                "datachange pause 3");
}

void add_cancel(CommandTree& tree) {
    const Request cancel =
        add_request(tree, "cancel", "End a run for good after the batch in hand; what it has done stays",
                    "datachange cancel 3");
    tree.add_dir(cancel.command);
    tree.add_csv_dir(cancel.command);
}

void add_throttle(CommandTree& tree) {
    const Request throttle = add_request(tree, "throttle", "Change the speed of a run while it goes on",
                                         "datachange throttle 3 --max-rows-per-second 500");
    throttle.command
        ->add_option("--max-rows-per-second", throttle.options->max_rows_per_second,
                     "Rows a second, on average; 0: no limit")
        ->required()
        ->check(CLI::NonNegativeNumber)
        ->type_name("ROWS");
}

}  // namespace datachange
