#include "cli/chosen_run.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "record/ledger/ledger_reader.hpp"

namespace datachange {

namespace {

constexpr std::size_t version_length = 14;

bool is_number(const std::string& text) {
    return !text.empty() && text.size() < version_length &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<JournalRun> by_uuid(const std::vector<JournalRun>& runs, const std::string& beginning) {
    std::optional<JournalRun> found;
    for (const JournalRun& run : runs) {
        if (!run.uuid.starts_with(beginning)) continue;
        if (found) {
            throw Error(ExitCode::usage, fmt::format("several runs begin with {}", beginning),
                        "Give more of the UUID.");
        }
        found = run;
    }
    return found;
}

std::optional<JournalRun> newest_of(const std::vector<JournalRun>& runs, const std::string& version) {
    std::optional<JournalRun> found;
    for (const JournalRun& run : runs) {
        if (run.version == version || run.name == version) found = run;
    }
    return found;
}

}  // namespace

ChosenRun choose_run(const Settings& settings, Target& target, const std::string& which) {
    const std::vector<JournalRun> runs = Fence(target).runs();
    if (is_number(which)) {
        const LedgerRun run = LedgerReader(settings.ledger).run(which);
        if (run.dry_run)
            throw Error(ExitCode::usage, fmt::format("run {} was a dry run", which),
                        "Nothing of it is left to do.");
        return {run.uuid, run.version, by_uuid(runs, run.uuid)};
    }
    auto found = newest_of(runs, which);
    if (!found) found = by_uuid(runs, which);
    if (found) return {found->uuid, found->version, found};
    if (std::filesystem::exists(settings.ledger)) {
        const LedgerRun run = LedgerReader(settings.ledger).run(which);
        return {run.uuid, run.version, std::nullopt};
    }
    throw Error(ExitCode::usage, fmt::format("no run {} on {}", which, target.name()),
                "`datachange runs` lists those of the ledger, `datachange status` those of the target.");
}

JournalRun choose_journal_run(const Settings& settings, Target& target, const std::string& which) {
    const ChosenRun run = choose_run(settings, target, which);
    if (run.journal) return *run.journal;
    throw Error(ExitCode::usage,
                fmt::format("{} does not know of run {}", target.name(), run.uuid.substr(0, 8)),
                "Is it the right target?");
}

}  // namespace datachange
