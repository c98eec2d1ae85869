#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run/fence.hpp"
#include "run/marks.hpp"
#include "target/target.hpp"

namespace datachange {

/// What the target's journal knows of all versions.
struct JournalState {
    std::vector<JournalRun>
        runs;                 ///< oldest first; "stalled" stands as state where nobody works on one any more
    std::vector<Mark> marks;  ///< oldest first
};

/// Reads it; nothing is made or changed.
JournalState journal_state(Target& target);

/// A version and the file that it has, if it has one.
struct VersionFile {
    std::string version, name, path;
    std::string sha256;                     ///< of the file now
    std::vector<std::string> targets = {};  ///< groups that it is meant for; none: all
};

/// The definitions of a folder as they stand now. Those of which the header is wrong are told as they are
/// run: here they are listed all the same.
/// @throws Error (usage) as list_definitions
std::vector<VersionFile> version_files(const std::string& directory, Engine engine);

/// One version and what has become of it on a target.
struct VersionState {
    std::string version, name;
    std::string kind = "data";  ///< data, or schema: of a schema migration
    std::string path;           ///< "": the journal knows it, and there is no file
    /// pending; processing, paused, stalled, stopped, failed, cancelled (of its run); done; edited (done, and
    /// the file is not what has run); undone; "undo ..." with the state of an undo that has not ended; marked
    /// (done by hand or elsewhere); excluded (not meant for this target's group)
    std::string state = "pending";
    std::string operator_name, finished_at, uuid;  ///< of the run that decides, or of who marked it
    std::string undone_by;                         ///< UUID of the undo, whether it has ended or not; ""
    std::string reason;                            ///< of the mark that decides; ""
    std::string origin;                            ///< of that mark
    std::uint64_t rows_changed = 0;
    std::uint64_t runs = 0;

    /// Something is left to be run. (An edited definition has run: something to look at, not to run.)
    bool pending() const;
};

/// Every version that has a file, a run or a mark, in order.
///
/// Versions without a file that were adopted from another tool's table are left out: they were never this
/// tool's.
/// @param group of the target; "": not known, then no definition is excluded
std::vector<VersionState> version_states(const std::vector<VersionFile>& files, const JournalState& journal,
                                         const std::string& group = {});

}  // namespace datachange
