#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "run/fence.hpp"
#include "run/journal.hpp"

namespace datachange {

/// A part of a step's set that no committed batch covers.
struct Gap {
    KeyRange range;      ///< as in a batch; upto is never behind the set's greatest key
    std::string after;   ///< path of the batch before it, "" for none
    std::string before;  ///< path of the batch behind it, "" for none
};

/// What is left of a step, from what the journal in the target has of it.
struct StepContinuation {
    std::optional<FrozenSet> set;         ///< the step was begun in batches
    std::vector<CommittedBatch> batches;  ///< committed ones, by path
    std::set<std::string> taken;          ///< paths that lost batches had

    /// One batch over everything: the step is done.
    bool whole() const { return !set && !batches.empty(); }
};

/// @param lost batches whose paths must not be used again
StepContinuation continue_step(int step, const JournalBatches& journal,
                               const std::vector<CommittedBatch>& lost);

/// The ranges that are left, in key order, so that those of all committed batches and these are the whole
/// set. Ranges are told apart by their bounds alone, so nothing needs to know the order of keys: a batch
/// begins where the one before it ended, or there is a gap between them.
std::vector<Gap> gaps(const StepContinuation& step, const std::optional<Key>& greatest);

}  // namespace datachange
