#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/settings.hpp"
#include "datachange/error.hpp"
#include "migrate/schema_apply.hpp"
#include "migrate/sequence.hpp"
#include "run/listener.hpp"
#include "run/stop.hpp"

namespace datachange {

/// How all that is pending is to be run.
struct MigrateOptions {
    SequenceOptions sequence;
    WorkOptions work;
    bool with_schema = false;  ///< schema migrations as well
};

/// A schema migration that was applied, or that somebody else had applied meanwhile.
struct AppliedSchema {
    VersionState version;
    SchemaFile file;
    SchemaResult result;
};

/// What became of it on one target.
struct MigrateReport {
    std::string target;  ///< without password
    std::vector<RunResult> done;
    std::vector<AppliedSchema> schema;
    std::optional<VersionState> failed;
    std::optional<Error>
        error;  ///< of `failed`; its code is partial where an earlier run has changed something
    std::vector<VersionState> not_run;  ///< behind `failed`
};

/// What has become of every version on the target that the settings name, those of schema migrations among
/// them where there is a folder of these; nothing is made or changed.
/// @param target takes its name without password
std::vector<VersionState> states_on_target(const Settings& settings, std::string& target);

/// What is to be run, in order: definitions, and schema migrations where they are asked for.
/// @param target takes its name without password
/// @param warning told of schema migrations that are pending, not asked for, and older than a definition that
/// is
/// @throws Error (usage) as pending_sequence, or if schema migrations are asked for and have no folder
std::vector<VersionState> planned_sequence(const Settings& settings, const MigrateOptions& options,
                                           std::string& target,
                                           const std::function<void(const std::string&)>& warning);

/// Versions as a JSON array of objects: version, name, kind, state.
std::string versions_json(const std::vector<VersionState>& versions);

/// What can be checked of a definition before its turn comes: earlier ones may make what its statements need.
/// @throws Error (usage) if it is wrong, or has no file
void require_plannable(const Settings& settings, const VersionState& version, const WorkOptions& work);

/// Runs what is pending, in the order of versions; ends at the first failure.
///
/// All definitions and schema migrations are parsed before the first is run. One that somebody else has run
/// meanwhile is passed over.
/// @param finished called after each run; @param applied after each schema migration; may be empty
/// @throws Error for what is found before anything was run
MigrateReport migrate(const Settings& settings, const MigrateOptions& options, Listener& listener,
                      StopRequest* stop, const std::function<void(const RunResult&)>& finished,
                      const std::function<void(const AppliedSchema&)>& applied = {});

}  // namespace datachange
