#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datachange/error.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// What became of a command on one of several targets.
struct TargetOutcome {
    std::string target;    ///< its name in the config file
    std::string shard_of;  ///< the target that it is a shard of; ""
    std::string group;     ///< ""
    /// done; pending (it would be run); skipped (it has run already, or `on-missing: skip`); excluded (not
    /// meant for its group); failed; stopped (asked to, it can be resumed); held (somebody else has it); not
    /// begun
    std::string state = "not begun";
    std::optional<Error> error;
    std::string note;  ///< why it was skipped or excluded; ""
    RowCounts rows;
    std::int64_t duration_ms = 0;
    std::vector<std::int64_t> runs;  ///< numbers in the ledger
    std::string result;              ///< the JSON that the command prints for one target; ""

    /// As the command would have ended with this target alone; 3 where it was not begun.
    int exit_status() const;
    /// True if something of it has been changed, or may have been.
    bool changed() const;
};

/// What the command was.
struct TargetsCommand {
    std::string title;  ///< "20260301120000 backfill_names"
    bool dry_run = false;
    std::int64_t duration_ms = 0;  ///< of all of it
};

/// The exit status of them together: 0 if all is done, skipped or excluded; else the most serious of theirs,
/// by 6, 4, 1, 5, 3, 2. A 1 or 2 says that nothing was
/// changed, and so is 6 where another target was changed.
int exit_status_of(const std::vector<TargetOutcome>& outcomes);
/// The most serious of several exit statuses in that order; 0 if there are none.
int most_serious(const std::vector<int>& statuses);

/// A table of targets, then each error that there was with the targets that it happened on, then totals. Ends
/// with a newline.
std::string targets_text(const std::vector<TargetOutcome>& outcomes, const TargetsCommand& command);

/// The same as one JSON object: targets, shards (sums by target), totals.
std::string targets_json(const std::vector<TargetOutcome>& outcomes, const TargetsCommand& command);

/// Errors that read the same, once each, behind the names of the targets that have them; each ends with a
/// newline.
std::string errors_text(const std::vector<std::pair<std::string, Error>>& errors);

}  // namespace datachange
