#pragma once

#include <cstdint>
#include <string>

#include "record/ledger/ledger.hpp"

namespace datachange {

/// What a merge has brought.
struct MergeReport {
    std::string ledger;                ///< UUID of the other one
    std::uint64_t runs = 0;            ///< that were not here
    std::uint64_t runs_completed = 0;  ///< that both had, and this ledger knows more of now
    std::uint64_t batches = 0;         ///< whose evidence was not here
    std::uint64_t links = 0;           ///< of the chains of others
};

/// Brings what another ledger has into this one, in one transaction; the other one is only read. Merging
/// again changes nothing.
///
/// Runs keep their UUID, and get numbers of this ledger; their leaves and contents cover neither. What only
/// one of two ledgers has of a run is put together; this ledger's chain then covers the whole.
/// @param path of the other one; of an older version a temporary copy is brought up to date
/// @throws Error (mismatch) if the other one does not fit, or both have a batch with different leaves; Error
/// (usage) if it is this very ledger; Error (unreachable)
MergeReport merge_ledger(Ledger& ledger, const std::string& path);

}  // namespace datachange
