#pragma once

#include <cstdint>
#include <string>

#include "datachange/run.hpp"

namespace datachange {

/// What a run tells while it goes on. Decoration: a listener that throws is ignored, and nothing else
/// happens.
class Listener {
public:
    virtual ~Listener() = default;
    /// @param total rows planned over all steps known so far.
    virtual void run_started(const std::string& title, bool dry_run) { (void)title, (void)dry_run; }
    virtual void step_started(int step, const std::string& name, std::uint64_t planned_rows, bool batched) {
        (void)step, (void)name, (void)planned_rows, (void)batched;
    }
    /// After a batch was committed. @param rows of pre and change in this batch.
    virtual void batch_done(int step, const std::string& batch, std::uint64_t rows) {
        (void)step, (void)batch, (void)rows;
    }
    virtual void warning(const std::string& text) { (void)text; }
    /// The run has ended, whatever way; nothing more will come.
    virtual void run_ended() {}
};

}  // namespace datachange
