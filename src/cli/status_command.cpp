#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "core/text.hpp"
#include "migrate/schema_state.hpp"
#include "record/ledger/ledger_reader.hpp"
#include "report/json.hpp"
#include "report/table.hpp"
#include "run/version_state.hpp"

namespace datachange {

namespace {

struct Options {
    bool exit_code = false;
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

int show_status(const Settings& settings, const Options& options, const OutputOptions& output) {
    settings.require_database();
    const std::vector<VersionFile> files = version_files(settings.dir, settings.engine());
    const std::vector<SchemaFile> schema_files = schema_files_beside(settings.dir, settings.schema_dir);
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    const JournalState journal = journal_state(*target);
    const std::vector<VersionState> lines =
        in_one_order(version_states(files, journal, settings.group),
                     schema_states(*target, schema_files, journal.marks), !settings.schema_dir.empty());
    const std::uint64_t elsewhere = runs_elsewhere(settings, journal.runs);
    if (output.json) {
        print_json(target->name(), lines, elsewhere);
    } else {
        print_text(target->name(), lines, elsewhere, !settings.schema_dir.empty());
    }
    const bool pending =
        std::any_of(lines.begin(), lines.end(), [](const VersionState& line) { return line.pending(); });
    return options.exit_code && pending ? static_cast<int>(ExitCode::pending) : 0;
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
    tree.add_target(command);
    tree.add_dir(command);
    tree.add_schema_dir(command);
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace datachange
