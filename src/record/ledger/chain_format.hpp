#pragma once

#include <vector>

namespace datachange {

/// Rows of a run that a link covers.
struct Covered {
    const char* name;  ///< stands in front of each row; nullptr: nothing does
    const char* sql;
};

/// What a link covers of a run: the results of these queries in their order, row by row and column by column.
struct ChainFormat {
    std::vector<Covered> parts;
    Covered batches;  ///< last, in the order of steps and paths
};

inline constexpr int newest_chain_format = 3;

/// @param format 1 to newest_chain_format @throws Error (mismatch) for any other
const ChainFormat& chain_format(int format);

}  // namespace datachange
