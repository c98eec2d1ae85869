#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "record/ledger/ledger.hpp"

namespace datachange {

/// A batch as the ledger has it, for its leaf to be counted anew.
struct LeafBatch {
    std::int64_t id = 0, run = 0;
    std::string run_uuid;
    int step = 1;
    std::string batch, state;
    std::optional<std::string> lower_key, upper_key;
    std::uint64_t rows = 0;
    RowCounts counts;
    std::string leaf;
    int format = 2;
    std::optional<std::int64_t> first_change, last_change;
    bool has_rows = true;  ///< false where only counts were recorded
};

/// What the rows of a batch say of themselves.
struct LeafRecount {
    std::string leaf;
    std::uint64_t rows = 0, blocks = 0, bytes = 0;
    std::string problem;  ///< what is wrong with the blocks though it is not part of the leaf; "": nothing
};

/// Counts a leaf anew from the blocks, one block at a time.
/// @throws Error (mismatch) for an unknown format; std::invalid_argument for a block that is none
LeafRecount recount_leaf(Ledger& ledger, const LeafBatch& batch);

}  // namespace datachange
