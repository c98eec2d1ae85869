#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "run/version_state.hpp"

namespace datachange {

/// Which of the pending versions are meant.
struct SequenceOptions {
    std::string to;             ///< the last version; "": all
    std::string only;           ///< this one alone; "": all
    std::size_t most = 0;       ///< so many, from the first on; 0: all
    bool strict_order = false;  ///< none that is older than one that is done
};

/// What is to be run on a target, in the order of versions.
///
/// @param states of all versions, in order
/// @throws Error (usage) if `to` or `only` is no version that is known here; Error (failed) if `only` is not
/// pending, or order is broken and `strict_order` is asked for: both say what to do
std::vector<VersionState> pending_sequence(const std::vector<VersionState>& states,
                                           const SequenceOptions& options);

/// "20260301120000 backfill_names", for messages.
std::string titled(const VersionState& state);

}  // namespace datachange
