#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "record/ledger/ledger_reader.hpp"
#include "report/json.hpp"
#include "report/table.hpp"
#include "run/fence.hpp"
#include "run/owner.hpp"
#include "run/undo_state.hpp"

namespace datachange {

namespace {

struct Options {
    bool exit_code = false;
};

/// One line of the status: a definition, or a version that the journal knows and whose file is gone.
struct StatusLine {
    std::string version, name, state, path, operator_name, finished_at, uuid;
    std::string undone_by;  ///< UUID of the undo, whether it has ended or not; ""
    std::uint64_t rows_changed = 0;
    std::uint64_t runs = 0;

    /// An edited definition has run; there is nothing left to run, though something to look at.
    bool pending() const { return state != "done" && state != "edited" && state != "undone"; }
};

/// State of a version by its newest run that counts: one that left something behind, else the newest.
const JournalRun* deciding_run(const std::vector<const JournalRun*>& runs) {
    const JournalRun* deciding = nullptr;
    for (const JournalRun* run : runs) {
        if (deciding == nullptr || run->active() || run->state == "stalled" || run->state == "done" ||
            deciding->state != "done")
            deciding = run;
    }
    return deciding;
}

/// Runs of the definition itself; the undos of them are looked up when one of them decides.
std::vector<const JournalRun*> without_undos(const std::vector<const JournalRun*>& runs,
                                             const std::vector<JournalRun>& all) {
    std::vector<const JournalRun*> own;
    for (const JournalRun* run : runs) {
        if (reversed_run(*run, all) == nullptr) own.push_back(run);
    }
    return own;
}

/// What an undo has made of a run's state.
void take_undo(StatusLine& line, const JournalRun& run, const std::vector<JournalRun>& all) {
    const JournalRun* undo = unfinished_undo(run, all);
    if (undo != nullptr) {
        line.state = "undo " + undo->state;
    } else {
        undo = undone_by(run, all);
        if (undo == nullptr) return;
        line.state = "undone";
    }
    line.undone_by = undo->uuid;
    line.operator_name = undo->operator_name;
    line.finished_at = undo->finished_at;
}

void take_run(StatusLine& line, const std::vector<const JournalRun*>& of_version,
              const std::vector<JournalRun>& all, const std::string& sha256_now) {
    const std::vector<const JournalRun*> runs = without_undos(of_version, all);
    const JournalRun* run = deciding_run(runs.empty() ? of_version : runs);
    line.runs = runs.size();
    line.state = run->state;
    if (run->state == "done" && !sha256_now.empty() && run->definition_sha256 != sha256_now)
        line.state = "edited";
    line.operator_name = run->operator_name;
    line.finished_at = run->finished_at;
    line.uuid = run->uuid;
    line.rows_changed = run->rows_changed;
    take_undo(line, *run, all);
}

std::string file_sha256(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return sha256(std::string{std::istreambuf_iterator<char>(file), {}});
}

std::vector<StatusLine> status_lines(const std::vector<DefinitionFile>& files,
                                     const std::vector<JournalRun>& runs) {
    std::map<std::string, std::vector<const JournalRun*>> by_version;
    for (const JournalRun& run : runs) by_version[run.version].push_back(&run);
    std::map<std::string, StatusLine> lines;
    for (const DefinitionFile& file : files) {
        StatusLine line;
        line.version = file.version;
        line.name = file.name;
        line.path = file.path;
        line.state = "pending";
        const auto found = by_version.find(file.version);
        if (found != by_version.end()) take_run(line, found->second, runs, file_sha256(file.path));
        lines[file.version] = line;
    }
    for (const auto& [version, of_version] : by_version) {
        if (lines.contains(version)) continue;
        StatusLine line;
        line.version = version;
        line.name = of_version.front()->name;
        take_run(line, of_version, runs, "");
        lines[version] = line;
    }
    std::vector<StatusLine> ordered;
    for (auto& [version, line] : lines) ordered.push_back(std::move(line));
    return ordered;
}

/// Runs of the journal that this ledger knows nothing of, as when another host ran them.
std::uint64_t runs_elsewhere(const Settings& settings, const std::vector<JournalRun>& runs) {
    if (!std::filesystem::exists(settings.ledger)) return runs.size();
    std::set<std::string> known;
    for (const LedgerRun& run : LedgerReader(settings.ledger).runs()) known.insert(run.uuid);
    std::uint64_t elsewhere = 0;
    for (const JournalRun& run : runs) elsewhere += known.contains(run.uuid) ? 0 : 1;
    return elsewhere;
}

void print_json(const std::string& target, const std::vector<StatusLine>& lines, std::uint64_t elsewhere) {
    std::vector<std::string> objects;
    for (const StatusLine& line : lines) {
        objects.push_back(JsonObject{}
                              .add("version", line.version)
                              .add("name", line.name)
                              .add("state", line.state)
                              .add("file", !line.path.empty())
                              .add_or_null("path", line.path)
                              .add("runs", line.runs)
                              .add("rows_changed", line.rows_changed)
                              .add_or_null("operator", line.operator_name)
                              .add_or_null("finished_at", line.finished_at)
                              .add_or_null("uuid", line.uuid)
                              .add_or_null("undone_by", line.undone_by)
                              .text());
    }
    fmt::print("{}\n", JsonObject{}
                           .add("target", target)
                           .raw("definitions", json_list(objects))
                           .add("runs_elsewhere", elsewhere)
                           .text());
}

void print_text(const std::string& target, const std::vector<StatusLine>& lines, std::uint64_t elsewhere) {
    using Align = Table::Align;
    fmt::print("target: {}\n\n", target);
    Table table({"version", "name", "state", "rows", "finished", "operator"},
                {Align::left, Align::left, Align::left, Align::right, Align::left, Align::left});
    for (const StatusLine& line : lines) {
        table.add({line.version, line.path.empty() ? "***** NO FILE ***** (" + line.name + ")" : line.name,
                   line.state + (line.undone_by.empty() ? "" : " by " + line.undone_by.substr(0, 8)),
                   line.runs == 0 ? "" : with_thousands(line.rows_changed), line.finished_at,
                   line.operator_name});
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
    const std::vector<DefinitionFile> files = list_definitions(settings.dir);
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    std::vector<JournalRun> runs = Fence(*target).runs();
    for (JournalRun& run : runs) {
        if (stalled(run, *target)) run.state = "stalled";
    }
    const std::vector<StatusLine> lines = status_lines(files, runs);
    const std::uint64_t elsewhere = runs_elsewhere(settings, runs);
    if (output.json) {
        print_json(target->name(), lines, elsewhere);
    } else {
        print_text(target->name(), lines, elsewhere);
    }
    const bool pending =
        std::any_of(lines.begin(), lines.end(), [](const StatusLine& line) { return line.pending(); });
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
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace datachange
