#pragma once

#include <cstdint>
#include <memory>

#include "capture/capture.hpp"
#include "capture/returned_rows.hpp"
#include "capture/row_file.hpp"
#include "target/target.hpp"

namespace datachange {

/// pre of a whole step.
struct StreamedPre {
    RowFile rows;
    bool ascends = true;  ///< as KeySequence
};

/// Reads pre of a whole step, in key order, into a file.
/// @param piece rows that are in memory at a time
/// @param lock_first until every row was locked before it was read, as capture_range
/// @throws DatabaseError
StreamedPre streamed_pre(Target& target, const CaptureSpec& spec, std::uint64_t piece, bool lock_first);

/// Executes the one statement of change over everything, and keeps what it returns.
/// @param pre the set as it was, which its rows are to be asked for in the order of
/// @throws DatabaseError; Error (usage) without an identifier in RETURNING
std::unique_ptr<ReturnedRows> streamed_change(Target& target, const CaptureSpec& spec, std::uint64_t piece,
                                              const StreamedPre& pre);

}  // namespace datachange
