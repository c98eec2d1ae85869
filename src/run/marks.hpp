#pragma once

#include <string>
#include <vector>

#include "run/fence.hpp"
#include "target/target.hpp"

namespace datachange {

/// What somebody said of a version instead of running it: that it was done by hand or by another tool, or
/// that it is to be run (again).
struct Mark {
    std::string version;
    std::string state;   ///< done | pending
    std::string reason;  ///< whole sentence of a person, or what another tool's table says
    std::string origin;  ///< "mark", or the tool that it was adopted from: "flyway"
    std::string marked_by;
    std::string marked_at = {};  ///< ISO 8601, UTC
    /// The newest run of the version (of a schema migration: the attempt that applied it last) when the mark
    /// was made, "" if there was none. A mark holds until there is a newer run; clocks of several hosts do
    /// not come into it.
    std::string after_run = {};
};

/// The marks in the target's journal, in the table datachange_marks. None is ever removed: what somebody said
/// is history.
class Marks {
public:
    explicit Marks(Target& target) : m_target(target) {}

    /// In the order in which they were made; empty if the table is not there.
    std::vector<Mark> all() const;
    /// Enters marks in one transaction; makes the journal's tables where they are not there.
    /// `after_run` and `marked_at` are filled in. @throws Error as Fence::create
    void add(const std::vector<Mark>& marks);

private:
    Target& m_target;
};

/// The mark that decides on a version: the newest one, unless there is a run that it did not know of.
/// @param runs of the version or more, oldest first; @param marks oldest first. nullptr: none does
const Mark* deciding_mark(const std::string& version, const std::vector<JournalRun>& runs,
                          const std::vector<Mark>& marks);

}  // namespace datachange
