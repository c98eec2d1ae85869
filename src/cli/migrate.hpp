#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/settings.hpp"
#include "datachange/error.hpp"
#include "migrate/sequence.hpp"
#include "run/listener.hpp"
#include "run/stop.hpp"

namespace datachange {

/// How all that is pending is to be run.
struct MigrateOptions {
    SequenceOptions sequence;
    WorkOptions work;
};

/// What became of it on one target.
struct MigrateReport {
    std::string target;  ///< without password
    std::vector<RunResult> done;
    std::optional<VersionState> failed;
    std::optional<Error>
        error;  ///< of `failed`; its code is partial where an earlier run has changed something
    std::vector<VersionState> not_run;  ///< behind `failed`
};

/// What has become of every version on the target that the settings name; nothing is made or changed.
/// @param target takes its name without password
std::vector<VersionState> states_on_target(const Settings& settings, std::string& target);

/// What can be checked of a definition before its turn comes: earlier ones may make what its statements need.
/// @throws Error (usage) if it is wrong, or has no file
void require_plannable(const Settings& settings, const VersionState& version, const WorkOptions& work);

/// Runs what is pending, in the order of versions; ends at the first failure.
///
/// All definitions are parsed before the first is run. One that somebody else has run meanwhile is passed
/// over.
/// @param finished called after each run
/// @throws Error for what is found before anything was run
MigrateReport migrate(const Settings& settings, const MigrateOptions& options, Listener& listener,
                      StopRequest* stop, const std::function<void(const RunResult&)>& finished);

}  // namespace datachange
