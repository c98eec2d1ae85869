#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"

namespace datachange {

/// A run whose values go, or stay.
struct PrunedRun {
    std::int64_t run = 0;
    std::string uuid, version, name, finished_at;
    std::uint64_t rows = 0;
    std::string kept_because;  ///< "": its values go
};

/// Runs that ended before a moment and still have their values.
/// @param before ISO 8601, UTC; a date means its beginning
std::vector<PrunedRun> runs_to_prune(Ledger& ledger, const std::string& before);

/// Drops the values of a run, and keeps hashes and counts, in one transaction; it must still fit.
/// @throws Error (mismatch) if it does not, for then its rows are what shows how
void prune_run(Ledger& ledger, const PrunedRun& run);

/// Makes the file anew without what was dropped, and empties the write-ahead log.
/// @return false if another process was using the log, so that bytes may be left in it until it has ended
bool shrink(Ledger& ledger);

}  // namespace datachange
