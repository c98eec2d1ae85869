#pragma once

#include <optional>
#include <string>

#include "cli/settings.hpp"
#include "run/fence.hpp"
#include "target/target.hpp"

namespace datachange {

/// A run that a user named.
struct ChosenRun {
    std::string uuid, version;
    std::optional<JournalRun> journal;  ///< what the target knows of it
};

/// Finds a run by its number in the ledger, the beginning of its UUID, or a version, which means the newest
/// run of it.
/// @throws Error (usage) if there is none, or several
ChosenRun choose_run(const Settings& settings, Target& target, const std::string& which);

/// The same, where the target has to know it.
JournalRun choose_journal_run(const Settings& settings, Target& target, const std::string& which);

}  // namespace datachange
