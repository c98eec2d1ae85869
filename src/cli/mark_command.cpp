#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "core/clock.hpp"
#include "core/process.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "migrate/schema_state.hpp"
#include "record/ledger/version_events.hpp"
#include "report/json.hpp"
#include "run/version_state.hpp"

namespace datachange {

namespace {

struct Options {
    std::string version, state, reason;
};

bool is_version(const std::string& text) {
    return text.size() == 14 && text.find_first_not_of("0123456789") == std::string::npos;
}

/// The version that is meant: of a definition or schema migration, or one that the target or another tool
/// knows and this folder does not.
std::string version_of(const Settings& settings, const std::string& which) {
    if (is_version(which)) return which;
    for (const SchemaFile& file : schema_files_beside(settings.dir, settings.schema_dir)) {
        if (which == file.name || which == file.version + "_" + file.name || which == file.path)
            return file.version;
    }
    return find_definition(settings.dir, which).version;
}

VersionState state_of(const Settings& settings, Target& target, const std::string& version) {
    const JournalState journal = journal_state(target);
    const auto states = in_one_order(
        version_states(version_files(settings.dir, settings.engine()), journal, settings.group),
        schema_states(target, schema_files_beside(settings.dir, settings.schema_dir), journal.marks), true);
    const auto found = std::find_if(states.begin(), states.end(),
                                    [&](const VersionState& state) { return state.version == version; });
    if (found != states.end()) return *found;
    VersionState unknown;
    unknown.version = version;
    return unknown;
}

/// A mark says what is not so yet, and never of a run that goes on.
void require_sensible(const VersionState& now, const std::string& state) {
    if (now.kind == "schema" && now.state == "processing") {
        throw Error(ExitCode::pending,
                    fmt::format("schema migration {} is being applied by {}", now.version, now.operator_name),
                    "Wait until it has ended. Nothing was changed.");
    }
    if (now.state == "processing" || now.state == "paused" || now.state.starts_with("undo ")) {
        throw Error(ExitCode::pending,
                    fmt::format("version {} is {} (run {})", now.version, now.state, now.uuid.substr(0, 8)),
                    "Wait until it has ended, or `datachange cancel` it. Nothing was changed.");
    }
    const bool done = !now.pending() && now.state != "excluded" && now.state != "undone";
    if (done == (state == "done")) {
        throw Error(ExitCode::failed,
                    fmt::format("version {} is {} already{}", now.version, now.state,
                                now.reason.empty() ? "" : ": " + now.reason),
                    "Nothing was changed.");
    }
}

int mark(const Settings& settings, const Options& options, const OutputOptions& output) {
    settings.require_database();
    if (trim(options.reason).empty()) {
        throw Error(ExitCode::usage, "a mark needs a reason",
                    "Say with --reason who did what, and where it is written down. Nothing was changed.");
    }
    const std::string version = version_of(settings, options.version);
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    target->require_writable();
    const VersionState now = state_of(settings, *target, version);
    require_sensible(now, options.state);
    const std::string who = current_operator(settings.operator_name);
    const std::string detail = fmt::format("{}, was {}: {}", options.state, now.state, options.reason);
    record_version_event(settings.ledger,
                         {utc_now(), version, target->name(), "marked", detail, who, host_name()}, [&] {
                             Marks(*target).add({{version, options.state, options.reason, "mark", who}});
                         });
    if (output.json) {
        fmt::print("{}\n", JsonObject{}
                               .add("version", version)
                               .add("target", target->name())
                               .add("was", now.state)
                               .add("marked", options.state)
                               .add("reason", options.reason)
                               .text());
    } else {
        fmt::print("version {} is marked as {} on {}; it was {}\n", version, options.state, target->name(),
                   now.state);
    }
    return 0;
}

}  // namespace

void add_mark(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        tree.add("mark", "Say that a version was done by hand, or is to be run (again)",
                 "datachange mark 20260301120000 done --reason \"run by hand in the incident, OPS-99\"",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return mark(settings, *options, output);
                 });
    command->add_option("definition", options->version, "Version, name or file")->required();
    command->add_option("state", options->state, "done or pending")
        ->required()
        ->check(CLI::IsMember({"done", "pending"}));
    command->add_option("--reason", options->reason, "Why, as it is to be read in a year")
        ->required()
        ->type_name("TEXT");
    tree.add_target(command);
    tree.add_dir(command);
    tree.add_schema_dir(command);
    tree.add_ledger(command);
    tree.add_operator(command);
    tree.add_json(command);
}

}  // namespace datachange
