#include "run/undo_state.hpp"

namespace datachange {

namespace {

constexpr std::size_t uuid_digits = 8;

}  // namespace

std::string undo_name(const std::string& uuid) {
    return "undo_of_" + uuid.substr(0, uuid_digits);
}

const JournalRun* reversed_run(const JournalRun& run, const std::vector<JournalRun>& runs) {
    if (!run.name.starts_with("undo_of_")) return nullptr;
    for (const JournalRun& other : runs) {
        if (other.version == run.version && undo_name(other.uuid) == run.name) return &other;
    }
    return nullptr;
}

const JournalRun* undone_by(const JournalRun& run, const std::vector<JournalRun>& runs) {
    for (const JournalRun& other : runs) {
        const bool takes_back = other.version == run.version && other.name == undo_name(run.uuid);
        if (takes_back && other.state == "done" && undone_by(other, runs) == nullptr) return &other;
    }
    return nullptr;
}

const JournalRun* unfinished_undo(const JournalRun& run, const std::vector<JournalRun>& runs) {
    for (const JournalRun& other : runs) {
        if (other.version != run.version || other.name != undo_name(run.uuid)) continue;
        const bool ended = other.state == "done" || other.state == "cancelled";
        if (other.active() || other.state == "stalled" || (!ended && other.batches > 0)) return &other;
    }
    return nullptr;
}

}  // namespace datachange
