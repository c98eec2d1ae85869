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
    /// After step_started where a run goes on: what of the step was committed before. @param done_rows as
    /// batch_done counted them.
    virtual void step_resumed(int step, std::uint64_t done_rows, std::uint64_t done_batches) {
        (void)step, (void)done_rows, (void)done_batches;
    }
    /// After a batch was committed. @param rows of pre and change in this batch.
    virtual void batch_done(int step, const std::string& batch, std::uint64_t rows) {
        (void)step, (void)batch, (void)rows;
    }
    /// The run holds back. @param reason the throttle's: "replica lags 12.3 s (at most 5 s)"; "" = no longer.
    virtual void throttled(const std::string& reason) { (void)reason; }
    /// The run stands still. @param what keeps it: "paused by alice", "trying again in 2 s: connection lost";
    /// "" = no longer.
    virtual void waiting(const std::string& what) { (void)what; }
    virtual void warning(const std::string& text) { (void)text; }
    /// The run has ended, whatever way; nothing more will come.
    virtual void run_ended() {}
};

}  // namespace datachange
