#include "capture/whole_step.hpp"

#include "capture/pieces.hpp"

namespace datachange {

StepCapture capture_whole(Target& target, const CaptureSpec& spec, const WholeStep& step, RowTaker& taker) {
    const bool large = step.planned > step.at_once;
    if (large && may_be_cut(spec, step.cut)) {
        if (auto capture = capture_in_pieces(target, spec, step, taker)) return std::move(*capture);
    }
    if (large && may_be_streamed(spec)) {
        WholeStep uncut = step;
        uncut.cut = Cut::none;
        if (auto capture = capture_in_pieces(target, spec, uncut, taker)) return std::move(*capture);
    }
    StepCapture capture = capture_range(target, spec, {}, step.lock_first);
    taker.take(capture.take_rows());
    return capture;
}

}  // namespace datachange
