#include <exception>
#include <filesystem>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/on_targets.hpp"
#include "cli/readable_error.hpp"
#include "cli/terminal.hpp"
#include "core/text.hpp"
#include "migrate/schema_state.hpp"
#include "record/ledger/ledger_reader.hpp"
#include "report/json.hpp"
#include "report/prometheus.hpp"
#include "report/table.hpp"
#include "report/target_outcome.hpp"
#include "report/version_matrix.hpp"

namespace datachange {

namespace {

struct Options {
    bool exit_code = false;
    std::string prometheus;  ///< path; "": none
};

/// Runs of the journal that this ledger knows nothing of, as when another host ran them.
std::uint64_t runs_elsewhere(const Settings& settings, const std::vector<JournalRun>& runs) {
    if (!std::filesystem::exists(settings.ledger)) return runs.size();
    std::set<std::string> known;
    for (const LedgerRun& run : LedgerReader(settings.ledger).runs()) known.insert(run.uuid);
    std::uint64_t elsewhere = 0;
    for (const JournalRun& run : runs) elsewhere += known.contains(run.uuid) ? 0 : 1;
    return elsewhere;
}

void print_json(const std::string& target, const std::vector<VersionState>& lines, std::uint64_t elsewhere) {
    std::vector<std::string> objects;
    for (const VersionState& line : lines) {
        objects.push_back(JsonObject{}
                              .add("version", line.version)
                              .add("name", line.name)
                              .add("kind", line.kind)
                              .add("state", line.state)
                              .add("file", !line.path.empty())
                              .add_or_null("path", line.path)
                              .add("runs", line.runs)
                              .add("rows_changed", line.rows_changed)
                              .add_or_null("operator", line.operator_name)
                              .add_or_null("finished_at", line.finished_at)
                              .add_or_null("uuid", line.uuid)
                              .add_or_null("undone_by", line.undone_by)
                              .add_or_null("reason", line.reason)
                              .text());
    }
    fmt::print("{}\n", JsonObject{}
                           .add("target", target)
                           .raw("definitions", json_list(objects))
                           .add("runs_elsewhere", elsewhere)
                           .text());
}

/// @param kinds there are schema migrations among them, or may be
void print_text(const std::string& target, const std::vector<VersionState>& lines, std::uint64_t elsewhere,
                bool kinds) {
    using Align = Table::Align;
    fmt::print("target: {}\n\n", target);
    std::vector<std::string> header{"version", "name", "state", "rows", "finished", "operator"};
    std::vector<Align> aligns{Align::left, Align::left, Align::left, Align::right, Align::left, Align::left};
    if (kinds) header.insert(header.begin() + 1, "kind");
    if (kinds) aligns.insert(aligns.begin(), Align::left);
    Table table(header, aligns);
    for (const VersionState& line : lines) {
        const bool rows = line.runs > 0 && line.kind == "data";
        std::vector<std::string> cells{
            line.version,
            line.path.empty() ? "***** NO FILE ***** (" + line.name + ")" : line.name,
            line.state + (line.undone_by.empty() ? "" : " by " + line.undone_by.substr(0, 8)),
            rows ? with_thousands(line.rows_changed) : "",
            line.finished_at,
            line.operator_name};
        if (kinds) cells.insert(cells.begin() + 1, line.kind);
        table.add(std::move(cells));
    }
    if (table.empty()) {
        fmt::print("no definitions\n");
    } else {
        fmt::print("{}", table.text());
    }
    if (elsewhere > 0) {
        fmt::print("\n{} of the journal {} not in this ledger: the evidence is elsewhere.\n",
                   counted(elsewhere, "run"), elsewhere == 1 ? "is" : "are");
    }
}

/// Reads the journal of one target; nothing is made or changed.
TargetVersions look_at(const Settings& settings) {
    settings.require_database();
    const std::vector<VersionFile> files = version_files(settings.dir, settings.engine());
    const std::vector<SchemaFile> schema_files = schema_files_beside(settings.dir, settings.schema_dir);
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    const JournalState journal = journal_state(*target);
    TargetVersions found = versions_on(files, journal, settings.group);
    found.versions =
        in_one_order(std::move(found.versions), schema_states(*target, schema_files, journal.marks),
                     !settings.schema_dir.empty());
    found.target = settings.target.empty() ? target->name() : settings.target;
    found.database = target->name();
    found.runs_elsewhere = runs_elsewhere(settings, journal.runs);
    return found;
}

TargetVersions look_at_one_of(const Settings& settings, const TargetConfig& target) {
    TargetVersions found;
    try {
        found = look_at(settings.for_target(target));
    } catch (...) {
        found.error = readable_error(std::current_exception());
    }
    found.target = target.name;
    found.group = target.group;
    found.shard_of = target.shard_of;
    return found;
}

/// With --exit-code: what could not be looked at, else what is pending. Without: whether anything could be
/// looked at.
int exit_status(const std::vector<TargetVersions>& targets, bool exit_code) {
    std::vector<int> failures;
    bool pending = false;
    for (const TargetVersions& target : targets) {
        if (target.error) failures.push_back(static_cast<int>(target.error->code()));
        pending = pending || target.pending() > 0;
    }
    if (exit_code ? !failures.empty() : failures.size() == targets.size()) return most_serious(failures);
    return exit_code && pending ? static_cast<int>(ExitCode::pending) : 0;
}

int show_matrix(const Settings& settings, const Options& options, const OutputOptions& output) {
    std::vector<TargetVersions> targets(settings.chosen.size());
    in_parallel(targets.size(), settings.given.choice.jobs, [&](std::size_t place) {
        targets[place] = look_at_one_of(settings, settings.chosen[place]);
    });
    if (!options.prometheus.empty()) replace_file(options.prometheus, prometheus_text(targets));
    fmt::print("{}", output.json ? matrix_json(targets) : matrix_text(targets, output_width()));
    return exit_status(targets, options.exit_code);
}

/// A monitor is told as well of a target that cannot be looked at.
void export_unreachable(const Settings& settings, const Options& options, const std::exception_ptr& thrown) {
    if (options.prometheus.empty() || (settings.database.empty() && !settings.database_from_pg)) return;
    TargetVersions target;
    target.target =
        settings.target.empty() ? target_name(settings.database, settings.engine()) : settings.target;
    target.group = settings.group;
    target.error = readable_error(thrown);
    replace_file(options.prometheus, prometheus_text({target}));
}

int show_status(const Settings& settings, const Options& options, const OutputOptions& output) {
    if (settings.several_targets()) return show_matrix(settings, options, output);
    TargetVersions found;
    try {
        found = look_at(settings);
    } catch (...) {
        export_unreachable(settings, options, std::current_exception());
        throw;
    }
    if (!options.prometheus.empty()) replace_file(options.prometheus, prometheus_text({found}));
    if (output.json) {
        print_json(found.database, found.versions, found.runs_elsewhere);
    } else {
        print_text(found.database, found.versions, found.runs_elsewhere, !settings.schema_dir.empty());
    }
    return options.exit_code && found.pending() > 0 ? static_cast<int>(ExitCode::pending) : 0;
}

}  // namespace

void add_status(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add("status", "Every definition and what has become of it on the target",
                                 "datachange status --database sqlite:shop.db --exit-code",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return show_status(settings, *options, output);
                                 });
    command->add_flag("--exit-code", options->exit_code, "Exit with 3 if something is pending");
    command
        ->add_option("--prometheus", options->prometheus,
                     "Write metrics for the textfile collector of node_exporter")
        ->type_name("FILE");
    tree.add_targets(command);
    tree.add_dir(command);
    tree.add_schema_dir(command);
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace datachange
