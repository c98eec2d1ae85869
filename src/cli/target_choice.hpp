#pragma once

#include <string>
#include <vector>

#include "cli/config.hpp"

namespace datachange {

/// Which targets of the config file a command is to work on, as the command line says, and how.
struct TargetChoice {
    std::vector<std::string> names;   ///< of targets and shards; the name of a target means all its shards
    std::vector<std::string> groups;  ///< of which all targets are meant
    bool all = false;
    unsigned jobs = 4;       ///< targets that are worked on at once
    bool fail_fast = false;  ///< the first failure keeps targets from being begun

    bool made() const { return !names.empty() || !groups.empty() || all; }
    /// It names one database and no more, so that the command is as with --database.
    bool names_one(const std::vector<TargetConfig>& chosen) const;
};

/// The chosen targets, each once, in the order of the file.
/// @throws Error (usage) for a name or a group that no target has (with a near one as hint), or if the file
/// has no targets
std::vector<TargetConfig> choose_targets(const Config& config, const TargetChoice& choice);

/// The target of that name. @throws Error (usage) if there is none (with the near one as hint), or if it has
/// several shards
const TargetConfig& one_target(const Config& config, const std::string& name);

/// "eu-1, eu-2 and 48 more", for hints.
std::string known_targets(const Config& config);

}  // namespace datachange
