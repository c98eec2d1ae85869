#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datachange/error.hpp"
#include "run/version_state.hpp"

namespace datachange {

/// What has become of all versions on one target.
struct TargetVersions {
    std::string target;           ///< its name in the config file
    std::string shard_of, group;  ///< ""
    std::string database;         ///< where it is, without password; "" if that is not known
    std::optional<Error> error;   ///< why nothing is known of its versions
    std::vector<VersionState> versions;
    std::uint64_t runs_elsewhere = 0;  ///< of its journal, that the ledger does not know
    std::uint64_t rows_changed = 0;    ///< by all runs of its journal
    std::string last_success;          ///< when its last run was done, ISO 8601 in UTC; "": none was

    std::uint64_t pending() const;
};

/// The target's view, from the journal that was read there.
TargetVersions versions_on(const std::vector<VersionFile>& files, const JournalState& journal,
                           const std::string& group);

/// One version on all targets.
struct VersionAcross {
    std::string version, name;
    bool file = false;  ///< it has one, on some target
    std::vector<const VersionState*> on =
        {};  ///< in the order of the targets; nullptr: it is not known there
};

/// Every version that some target knows, in order. Points into `targets`.
std::vector<VersionAcross> versions_across(const std::vector<TargetVersions>& targets);

/// A number of changed rows that is far from that of the other targets.
struct Outlier {
    std::size_t target = 0;  ///< its place
    std::uint64_t rows = 0;
    double median = 0;
    std::string group;  ///< that it was held against; "": all targets
};

/// Where a version is done, its changed rows are held against their median: of the targets of the same group
/// that have done it, if these are three at least, else of all that have. Told are those with ten times as
/// many or more, with a tenth or less, and with none where the median is not 0. Fewer than three tell
/// nothing.
std::vector<Outlier> find_outliers(const std::vector<TargetVersions>& targets, const VersionAcross& version);

/// Definitions against targets: a grid where it is no wider than `width` columns, else what is where, in
/// lines. Ends with a newline.
std::string matrix_text(const std::vector<TargetVersions>& targets, std::size_t width);

/// The same as one JSON object: targets, definitions (with all that is known, by target), totals.
std::string matrix_json(const std::vector<TargetVersions>& targets);

}  // namespace datachange
