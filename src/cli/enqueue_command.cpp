#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/enqueue.hpp"
#include "cli/migrate.hpp"
#include "cli/queue_output.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "plan/plan.hpp"

namespace datachange {

namespace {

struct Options {
    std::vector<std::string> definitions;
    bool all = false;
};

const VersionFile& file_of(const Settings& settings, const std::vector<VersionFile>& files,
                           const std::string& what) {
    const DefinitionFile found = find_definition(settings.dir, what);
    for (const VersionFile& file : files) {
        if (file.version == found.version && file.name == found.name) return file;
    }
    throw Error(
        ExitCode::usage, fmt::format("{} does not stand in {}", what, settings.dir),
        "Workers find a definition by its version in their folder of definitions (--dir). Nothing was "
        "enqueued.");
}

Definition parsed(const VersionFile& file, Engine engine) {
    Definition definition = read_definition(definition_file(file.path), engine);
    make_plan(definition, RunOptions{});
    return definition;
}

/// What `run` would refuse is not enqueued either.
void require_pending(const VersionState& state, const Definition& definition, const std::string& group) {
    if (state.state == "excluded") {
        throw Error(ExitCode::failed,
                    fmt::format("version {} is for `targets: {}`, and this target is in group {}",
                                state.version, join(definition.targets, ", "), group),
                    "Nothing was enqueued.")
            .at(definition.path);
    }
    const bool runs_again = definition.repeatable && state.state == "done";
    const bool undo = state.state.starts_with("undo ");
    if (runs_again || (state.pending() && !undo)) return;
    throw Error(
        ExitCode::failed, fmt::format("version {} is not pending: it is {}", state.version, state.state),
        undo ? "The undo of it has not ended. Nothing was enqueued."
             : "`datachange status` shows by which run; `datachange run --again` runs it once more. Nothing "
               "was enqueued.")
        .at(definition.path);
}

const VersionState& state_of(const std::vector<VersionState>& states, const std::string& version) {
    return *std::find_if(states.begin(), states.end(),
                         [&](const VersionState& state) { return state.version == version; });
}

int enqueue(const Settings& settings, const Options& options, const OutputOptions& output) {
    settings.require_database();
    if (options.all == !options.definitions.empty()) {
        throw Error(ExitCode::usage,
                    options.all ? "--all enqueues everything that is pending, and definitions were named"
                                : "nothing to enqueue was named",
                    "Name versions, or give --all. Nothing was enqueued.");
    }
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    target->require_writable();
    const std::vector<QueueItem> queued = options.all ? enqueue_pending(settings, *target)
                                                      : enqueue_named(settings, *target, options.definitions);
    print_enqueued(*target, queued, output);
    return 0;
}

}  // namespace

std::vector<QueueItem> enqueue_named(const Settings& settings, Target& target,
                                     const std::vector<std::string>& names) {
    const std::vector<VersionFile> files = version_files(settings.dir, target.engine());
    const std::vector<VersionState> states = version_states(files, journal_state(target), settings.group);
    std::vector<NewItem> items;
    for (const std::string& name : names) {
        const VersionFile& file = file_of(settings, files, name);
        const Definition definition = parsed(file, target.engine());
        require_pending(state_of(states, file.version), definition, settings.group);
        items.push_back({file.version, file.name, definition.sha256});
    }
    return Queue(target).enqueue(items, current_operator(settings.operator_name));
}

std::vector<QueueItem> enqueue_pending(const Settings& settings, Target& target,
                                       const SequenceOptions& sequence) {
    const std::vector<VersionFile> files = version_files(settings.dir, target.engine());
    std::set<std::string> there;
    for (const QueueItem& item : Queue(target).items(false)) there.insert(item.version);
    std::vector<NewItem> items;
    for (const VersionState& state :
         pending_sequence(version_states(files, journal_state(target), settings.group), sequence)) {
        if (there.contains(state.version)) continue;
        require_plannable(settings, state, WorkOptions{});
        const Definition definition = parsed({state.version, state.name, state.path, ""}, target.engine());
        require_pending(state, definition, settings.group);
        items.push_back({state.version, state.name, definition.sha256});
    }
    if (items.empty()) return {};
    return Queue(target).enqueue(items, current_operator(settings.operator_name));
}

void print_enqueued(const Target& target, const std::vector<QueueItem>& items, const OutputOptions& output) {
    if (output.json) {
        fmt::print("{}", queue_json(target.name(), items));
    } else if (items.empty()) {
        fmt::print("nothing is pending that is not in the queue already\n");
    } else {
        for (const QueueItem& item : items)
            fmt::print("enqueued at {}: {} {}\n", item.position, item.version, item.name);
    }
}

void add_enqueue(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        tree.add("enqueue", "Put definitions into the queue, for `work` to run one after another",
                 "datachange enqueue backfill_user_names --database sqlite:shop.db",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return enqueue(settings, *options, output);
                 });
    command->add_option("definitions", options->definitions,
                        "Versions or names, in the order in which they are to run");
    command->add_flag("--all", options->all, "Everything that is pending, in the order of versions");
    tree.add_target(command);
    tree.add_dir(command);
    tree.add_operator(command);
    tree.add_json(command);
}

}  // namespace datachange
