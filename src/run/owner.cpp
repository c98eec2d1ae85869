#include "run/owner.hpp"

#include "core/process.hpp"

namespace datachange {

std::string session_name(const std::string& version) {
    return "datachange:" + version;
}

bool stalled(const JournalRun& run, Target& target) {
    if (!run.active()) return false;
    if (run.host == host_name()) return process_gone(run.host, run.process, run.owned_since);
    // a SQLite file tells nothing of who has it open elsewhere
    return target.engine() == Engine::postgresql && target.other_sessions(session_name(run.version)).empty();
}

}  // namespace datachange
