#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "core/text.hpp"
#include "record/ledger/backup.hpp"
#include "record/ledger/merge.hpp"
#include "record/ledger/prune.hpp"
#include "report/json.hpp"

namespace datachange {

namespace {

constexpr int lock_timeout_ms = 60'000;  // another run that is writing

struct PruneOptions {
    std::string before;
    bool dry_run = false;
};

struct BackupOptions {
    std::string path;
    bool force = false;
};

Ledger open_existing(const std::string& path) {
    if (std::error_code ignored; !std::filesystem::exists(path, ignored)) {
        throw Error(ExitCode::unreachable, fmt::format("no ledger at {}", path),
                    "It is made by the first run; or name another file with --ledger.");
    }
    return Ledger::open(path, lock_timeout_ms);
}

/// 2026-01-31, or a whole time in UTC as the ledger writes them.
void require_moment(const std::string& text) {
    constexpr std::string_view shape = "0000-00-00T00:00:00.000Z";
    const bool whole = text.size() == shape.size() || text.size() == 10;
    const bool fits = whole && std::equal(text.begin(), text.end(), shape.begin(), [](char c, char wanted) {
                          return wanted == '0' ? c >= '0' && c <= '9' : c == wanted;
                      });
    if (fits) return;
    throw Error(ExitCode::usage, fmt::format("{} is no date", text),
                "Give it as 2026-01-31, which means its beginning in UTC, or as 2026-01-31T12:00:00.000Z.");
}

std::string pruned_text(const std::vector<PrunedRun>& runs, bool dry_run) {
    std::string out;
    for (const PrunedRun& run : runs) {
        out += fmt::format("run {} ({} {}, {}): {}\n", run.run, run.version, run.name, run.finished_at,
                           !run.kept_because.empty() ? "kept, as " + run.kept_because
                           : dry_run                 ? counted(run.rows, "row") + " would be dropped"
                                     : counted(run.rows, "row") + " dropped; hashes and counts stay");
    }
    return out.empty() ? "nothing to prune\n" : out;
}

std::string pruned_json(const std::vector<PrunedRun>& runs, bool dry_run) {
    std::vector<std::string> items;
    for (const PrunedRun& run : runs) {
        items.push_back(JsonObject{}
                            .add("run", run.run)
                            .add("uuid", run.uuid)
                            .add("rows", run.rows)
                            .add("pruned", run.kept_because.empty() && !dry_run)
                            .add_or_null("kept_because", run.kept_because)
                            .text());
    }
    return json_list(items) + "\n";
}

int prune(const Settings& settings, const PruneOptions& options, const OutputOptions& output) {
    require_moment(options.before);
    Ledger ledger = open_existing(settings.ledger);
    const bool log_emptied = ledger.guarded(
        [&] {
            const std::vector<PrunedRun> runs = runs_to_prune(ledger, options.before);
            for (const PrunedRun& run : runs) {
                if (run.kept_because.empty() && !options.dry_run) prune_run(ledger, run);
            }
            fmt::print("{}",
                       output.json ? pruned_json(runs, options.dry_run) : pruned_text(runs, options.dry_run));
            return options.dry_run || shrink(ledger);
        },
        "What was dropped stays dropped, and the rest is kept.");
    if (!log_emptied) {
        fmt::print(
            stderr,
            "warning: another process is using the ledger, so its write-ahead log may still hold what was "
            "dropped; prune again when that has ended\n");
    }
    return 0;
}

int backup(const Settings& settings, const BackupOptions& options, const OutputOptions& output) {
    backup_ledger(settings.ledger, options.path, options.force);
    const auto bytes = static_cast<std::uint64_t>(std::filesystem::file_size(options.path));
    if (output.json) {
        fmt::print(
            "{}\n",
            JsonObject{}.add("ledger", settings.ledger).add("copy", options.path).add("bytes", bytes).text());
    } else {
        fmt::print("{} is a copy of {}: {} bytes, found whole\n", options.path, settings.ledger,
                   with_thousands(bytes));
    }
    return 0;
}

std::string merged_text(const std::string& path, const MergeReport& report) {
    if (report.runs + report.runs_completed + report.links == 0)
        return fmt::format("{} ({}): nothing that is not here\n", path, report.ledger.substr(0, 8));
    return fmt::format("{} ({}): {} added, {} completed; {} of theirs, {} of their chain\n", path,
                       report.ledger.substr(0, 8), counted(report.runs, "run"),
                       with_thousands(report.runs_completed), counted(report.batches, "batch"),
                       counted(report.links, "link"));
}

std::string merged_json(const std::string& path, const MergeReport& report) {
    return JsonObject{}
        .add("path", path)
        .add("uuid", report.ledger)
        .add("runs", report.runs)
        .add("runs_completed", report.runs_completed)
        .add("batches", report.batches)
        .add("links", report.links)
        .text();
}

int merge(const Settings& settings, const std::vector<std::string>& others, const OutputOptions& output) {
    Ledger ledger = Ledger::open(settings.ledger, lock_timeout_ms);
    std::vector<std::string> items;
    for (const std::string& path : others) {
        const MergeReport report = merge_ledger(ledger, path);
        if (output.json) {
            items.push_back(merged_json(path, report));
        } else {
            fmt::print("{}", merged_text(path, report));
        }
    }
    if (output.json) fmt::print("{}\n", json_list(items));
    ledger.checkpoint();
    return 0;
}

void add_merge(CommandTree& tree) {
    const auto others = std::make_shared<std::vector<std::string>>();
    CLI::App* command = tree.add("ledger merge", "Bring the ledgers of other hosts into this one",
                                 "datachange ledger merge --ledger all.db host1.db host2.db",
                                 [others](const Settings& settings, const OutputOptions& output) {
                                     return merge(settings, *others, output);
                                 });
    command->add_option("others", *others, "Ledgers, which are only read")->required();
    tree.add_ledger(command);
    tree.add_json(command);
}

void add_prune(CommandTree& tree) {
    const auto options = std::make_shared<PruneOptions>();
    CLI::App* command = tree.add("ledger prune", "Drop the values of old runs, and keep hashes and counts",
                                 "datachange ledger prune --before 2025-01-01 --dry-run",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return prune(settings, *options, output);
                                 });
    command->add_option("--before", options->before, "Of runs that ended before this date (UTC)")
        ->required()
        ->type_name("DATE");
    command->add_flag("--dry-run", options->dry_run, "Only say what would be dropped");
    tree.add_ledger(command);
    tree.add_json(command);
}

void add_backup(CommandTree& tree) {
    const auto options = std::make_shared<BackupOptions>();
    CLI::App* command = tree.add("ledger backup", "Copy the ledger, also while a run is writing to it",
                                 "datachange ledger backup /backup/ledger-2026-03-01.db",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return backup(settings, *options, output);
                                 });
    command->add_option("path", options->path, "File of the copy")->required();
    command->add_flag("--force", options->force, "Replace a file that is there");
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace

void add_ledger(CommandTree& tree) {
    tree.add_group("ledger", "Merge, prune and back up the ledger");
    add_merge(tree);
    add_prune(tree);
    add_backup(tree);
}

}  // namespace datachange
