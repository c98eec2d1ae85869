#pragma once

#include <optional>
#include <string>

#include "migrate/attempt.hpp"
#include "migrate/queue.hpp"
#include "run/version_state.hpp"
#include "target/target.hpp"

namespace datachange {

/// The owner of a run that a worker has begun ends in this.
inline constexpr const char* queue_role = "for the queue";

/// How an item is to be run, or that it is not to be.
struct Examined {
    std::string path;                ///< of its definition
    std::string resume;              ///< UUID of the run that goes on; "": none does
    std::optional<Attempt> outcome;  ///< there is one already
};

/// Finds out what is to be done for an item that a worker has taken.
class Examination {
public:
    /// @param dir of the definitions; @param group of the target, "": not known
    Examination(Target& target, const std::string& dir, const std::string& group)
        : m_target(target), m_dir(dir), m_group(group) {}

    /// @throws Error (usage) for a definition that is wrong
    Examined of(const QueueItem& item) const;
    /// What has become of the version. Edited is what has run with another definition than the one enqueued.
    VersionState state_now(const QueueItem& item) const;

private:
    Examined of_file(const QueueItem& item, const VersionState& state) const;
    std::optional<Attempt> held_by(const std::vector<JournalRun>& runs) const;

    Target& m_target;
    const std::string& m_dir;
    const std::string& m_group;
};

/// That the file is not what was enqueued, and what to do.
std::string edited_text(const QueueItem& item);

}  // namespace datachange
