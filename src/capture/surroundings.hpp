#pragma once

#include <vector>

#include "capture/capture.hpp"
#include "capture/witness.hpp"

namespace datachange {

/// True if a statement of change is TRUNCATE.
bool truncates(const CaptureSpec& spec);

/// What goes on around the change of a step: its watched tables, and the witness. One object for one batch,
/// or for a whole step that is captured in pieces.
class Surroundings {
public:
    /// Reads the witness for the first time.
    /// @throws Error (failed) if `strict` and there is none.
    Surroundings(Target& target, const CaptureSpec& spec);

    const TouchedTables& touched_before() const { return m_touched_before; }
    void read_watches(RowSet BatchCapture::*moment, const Scope& scope);
    /// The rows of the step as the witness is to be told of them, none so far.
    AccountedRows account() const;
    /// Compares the watched tables, and looks for what was touched beside the rows of the step.
    /// @throws Error (failed) as capture_range
    void conclude(StepCapture& capture, const TouchedTables& touched, const AccountedRows& rows);

private:
    void compare_watches();
    void refuse_unreturned(const StepCapture& capture) const;
    void refuse_collateral(const StepCapture& capture) const;

    Target& m_target;
    const CaptureSpec& m_spec;
    TouchedTables m_touched_before;
    std::vector<BatchCapture> m_watches;
};

}  // namespace datachange
