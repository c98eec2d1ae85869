#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "run/batch_runner.hpp"
#include "run/journal.hpp"
#include "run/preflight.hpp"

namespace datachange {

/// Reads the set of a step for batches by key list once, in one snapshot, into the ledger.
/// @param behind only what comes behind this key
/// @return its rows
std::uint64_t spool_set(BatchRunner& runner, Journal& journal, const ReadyStep& step,
                        const std::optional<Key>& behind);

/// The place in a spooled set behind the row with a key. @param from where to begin to look
std::uint64_t place_behind(Journal& journal, int step, std::uint64_t from, const Key& last,
                           const std::vector<std::size_t>& places);

}  // namespace datachange
