#include "run/version_state.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "core/hash.hpp"
#include "definition/definition.hpp"
#include "run/owner.hpp"
#include "run/undo_state.hpp"

namespace datachange {

namespace {

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
void take_undo(VersionState& line, const JournalRun& run, const std::vector<JournalRun>& all) {
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

void take_runs(VersionState& line, const std::vector<const JournalRun*>& of_version,
               const std::vector<JournalRun>& all, const std::string& sha256_now) {
    if (of_version.empty()) return;
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

void take_mark(VersionState& line, const JournalState& journal) {
    const Mark* mark = deciding_mark(line.version, journal.runs, journal.marks);
    if (mark == nullptr) return;
    line.state = mark->state == "done" ? "marked" : "pending";
    line.operator_name = mark->marked_by;
    line.finished_at = mark->marked_at;
    line.reason = mark->reason;
    line.origin = mark->origin;
}

bool meant_for(const VersionFile& file, const std::string& group) {
    return group.empty() || file.targets.empty() ||
           std::find(file.targets.begin(), file.targets.end(), group) != file.targets.end();
}

/// Versions that have no file, and a name where their runs tell it.
std::map<std::string, std::string> without_file(const JournalState& journal,
                                                const std::set<std::string>& files) {
    std::map<std::string, std::string> names;
    for (const Mark& mark : journal.marks) {
        if (mark.origin == "mark" && !files.contains(mark.version)) names[mark.version];
    }
    for (const JournalRun& run : journal.runs) {
        if (files.contains(run.version)) continue;
        std::string& name = names[run.version];
        if (name.empty()) name = run.name;
    }
    return names;
}

}  // namespace

JournalState journal_state(Target& target) {
    JournalState journal{Fence(target).runs(), Marks(target).all()};
    for (JournalRun& run : journal.runs) {
        if (stalled(run, target)) run.state = "stalled";
    }
    return journal;
}

std::vector<VersionFile> version_files(const std::string& directory, Engine engine) {
    std::vector<VersionFile> files;
    for (const DefinitionFile& file : list_definitions(directory)) {
        std::ifstream stream(file.path, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        files.push_back({file.version, file.name, file.path, sha256(text), targets_of(text, engine)});
    }
    return files;
}

bool VersionState::pending() const {
    return state != "done" && state != "edited" && state != "undone" && state != "marked" &&
           state != "excluded";
}

std::vector<VersionState> version_states(const std::vector<VersionFile>& files, const JournalState& journal,
                                         const std::string& group) {
    std::map<std::string, std::vector<const JournalRun*>> runs;
    for (const JournalRun& run : journal.runs) runs[run.version].push_back(&run);
    std::map<std::string, VersionState> states;
    std::set<std::string> with_file;
    for (const VersionFile& file : files) {
        with_file.insert(file.version);
        VersionState& state = states[file.version];
        state.version = file.version;
        state.name = file.name;
        state.path = file.path;
        if (!meant_for(file, group)) state.state = "excluded";
        take_runs(state, runs[file.version], journal.runs, file.sha256);
        take_mark(state, journal);
    }
    for (const auto& [version, name] : without_file(journal, with_file)) {
        VersionState& state = states[version];
        state.version = version;
        state.name = name;
        take_runs(state, runs[version], journal.runs, "");
        take_mark(state, journal);
    }
    std::vector<VersionState> ordered;
    for (auto& [version, state] : states) ordered.push_back(std::move(state));
    return ordered;
}

}  // namespace datachange
