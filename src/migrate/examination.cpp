#include "migrate/examination.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/process.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "run/owner.hpp"

namespace datachange {

namespace {

/// Whoever holds the item may take it over: a worker of the queue without the item is nobody's.
bool of_queue(const JournalRun& run) {
    return run.owner.ends_with(queue_role);
}

std::string run_to_go_on_with(const QueueItem& item, const std::vector<JournalRun>& runs) {
    std::string found;
    for (const JournalRun& run : runs) {
        const bool ended = run.state == "done" || run.state == "cancelled";
        const bool own = run.uuid == item.run_uuid && !ended && !run.active() && run.batches > 0;
        if (own || (run.active() && of_queue(run))) found = run.uuid;
    }
    return found;
}

bool excluded(const VersionFile& file, const std::string& group) {
    return version_states({file}, {}, group).front().state == "excluded";
}

}  // namespace

std::string edited_text(const QueueItem& item) {
    return fmt::format(
        "the definition of {0} is not any more what was enqueued (then SHA-256 {1}); `datachange queue "
        "--retry "
        "{0}` takes it as it is now",
        item.version, item.definition_sha256.substr(0, 12));
}

VersionState Examination::state_now(const QueueItem& item) const {
    const JournalState journal{Fence(m_target).runs(item.version), Marks(m_target).all()};
    for (VersionState& state :
         version_states({{item.version, item.name, "", item.definition_sha256}}, journal)) {
        if (state.version == item.version) return state;
    }
    return {};
}

std::optional<Attempt> Examination::held_by(const std::vector<JournalRun>& runs) const {
    for (const JournalRun& run : runs) {
        if (!run.active() || of_queue(run) || stalled(run, m_target)) continue;
        return held(fmt::format("run {} of it is {} by {} since {}", run.uuid.substr(0, 8), run.state,
                                run.owner, run.started_at));
    }
    return std::nullopt;
}

Examined Examination::of(const QueueItem& item) const {
    const std::vector<JournalRun> runs = Fence(m_target).runs(item.version);
    const VersionState state = state_now(item);
    const bool run_done = std::any_of(runs.begin(), runs.end(), [&](const JournalRun& run) {
        return run.uuid == item.run_uuid && run.state == "done";
    });
    if (run_done || state.state == "marked") return {"", "", done()};
    Examined examined = of_file(item, state);
    if (examined.outcome) return examined;
    examined.resume = run_to_go_on_with(item, runs);
    examined.outcome = held_by(runs);
    return examined;
}

Examined Examination::of_file(const QueueItem& item, const VersionState& state) const {
    const std::vector<VersionFile> files = version_files(m_dir, m_target.engine());
    const auto file = std::find_if(files.begin(), files.end(), [&](const VersionFile& candidate) {
        return candidate.version == item.version;
    });
    const bool same = file != files.end() && file->sha256 == item.definition_sha256;
    // what may run again is run once more for each time it was enqueued
    const bool again = same && read_definition(definition_file(file->path), m_target.engine()).repeatable;
    if (state.state == "done" && !again) return {"", "", done()};
    if (file == files.end())
        return {"", "",
                failed(fmt::format("{} on {} has no definition {}", m_dir, host_name(), titled(item)))};
    if (!same) return {"", "", failed(edited_text(item))};
    if (!excluded(*file, m_group)) return {file->path, "", std::nullopt};
    return {"", "",
            failed(fmt::format("the definition is for `targets: {}`, and this target is in group {}",
                               join(file->targets, ", "), m_group))};
}

}  // namespace datachange
