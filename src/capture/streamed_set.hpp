#pragma once

#include <cstdint>

#include "capture/capture.hpp"
#include "capture/row_file.hpp"
#include "target/target.hpp"

namespace datachange {

/// Reads pre of a whole step, in key order, into a file.
/// @param piece rows that are in memory at a time
/// @param lock_first until every row was locked before it was read, as capture_range
/// @throws DatabaseError
RowFile streamed_pre(Target& target, const CaptureSpec& spec, std::uint64_t piece, bool lock_first);

}  // namespace datachange
