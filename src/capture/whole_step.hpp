#pragma once

#include <cstdint>

#include "capture/capture.hpp"
#include "capture/set_reader.hpp"
#include "target/target.hpp"

namespace datachange {

/// How the change of a whole step may be done piece by piece and still come to the same: where batches would
/// have been right.
enum class Cut {
    none,      ///< not at all: each statement runs once, over everything
    ranges,    ///< pre and change say :batch of the identifier
    key_list,  ///< change says :affected
};

/// A set of so many rows is captured at once, a larger one in pieces: that is some ten megabytes of narrow
/// rows, and as large as a set gets that is run whole without having been asked for.
inline constexpr std::uint64_t most_rows_at_once = 20'000;
/// Rows of a piece: as a large batch has, so that memory is the same in both modes.
inline constexpr std::uint64_t rows_of_a_piece = 10'000;

/// A step that is captured whole in one transaction.
struct WholeStep {
    const KeySource& source;
    Cut cut = Cut::none;
    std::uint64_t planned = 0;  ///< rows that its set had when it was counted
    bool lock_first = false;    ///< as capture_range
    std::uint64_t piece = rows_of_a_piece;
    std::uint64_t at_once = most_rows_at_once;
};

/// Takes the rows of a step as they are captured.
class RowTaker {
public:
    virtual ~RowTaker() = default;
    RowTaker() = default;
    RowTaker(const RowTaker&) = delete;
    RowTaker& operator=(const RowTaker&) = delete;

    /// The next rows, in key order.
    virtual void take(BatchCapture rows) = 0;
    /// What was taken is void: the rows come anew, from the first.
    virtual void restart() = 0;
};

/// Captures a whole step in the open transaction, a large set piece by piece, so that memory does not grow
/// with it. What the pieces say together is what one capture says: should something go another way in pieces
/// (the change reaches beyond its piece, a trigger rewrites rows of an earlier one, a constraint only holds
/// at the end), what was done is undone and the step captured at once.
/// @return everything but the rows, of which there are only the counts
/// @throws as capture_range
StepCapture capture_whole(Target& target, const CaptureSpec& spec, const WholeStep& step, RowTaker& taker);

}  // namespace datachange
