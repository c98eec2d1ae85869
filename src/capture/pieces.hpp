#pragma once

#include <optional>

#include "capture/whole_step.hpp"

namespace datachange {

/// True if a step may be changed piece by piece.
bool may_be_cut(const CaptureSpec& spec, Cut cut);

/// True if a step can be captured in pieces around a change that is done at once.
bool may_be_streamed(const CaptureSpec& spec);

/// Changes and captures a step piece by piece in the open transaction; where step.cut is
/// none, it is changed at once, and what that returns is captured piece by piece.
/// @return nothing where that does not come to what one change would: everything is as before then, and what
/// the taker has is void
std::optional<StepCapture> capture_in_pieces(Target& target, const CaptureSpec& spec, const WholeStep& step,
                                             RowTaker& taker);

}  // namespace datachange
