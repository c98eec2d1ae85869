#pragma once

#include <cstdint>
#include <string>

#include "datachange/error.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// What may become of a run, as those are told who want to know no more of it.
enum class RunEvent {
    start,   ///< it has begun, or goes on
    done,    ///< all of it, or there was nothing to do
    failed,  ///< it ended with an error, or was cancelled
    paused,  ///< it stands still on request, or was stopped, and can be gone on with
};

/// "start", "done", "failed", "paused".
constexpr const char* run_event_name(RunEvent event) noexcept {
    switch (event) {
        case RunEvent::start:
            return "start";
        case RunEvent::done:
            return "done";
        case RunEvent::failed:
            return "failed";
        case RunEvent::paused:
            return "paused";
    }
    return "";
}

/// A run at the moment of such an event.
struct RunNotice {
    RunEvent event = RunEvent::start;
    std::int64_t run = 0;  ///< number in the ledger
    std::string uuid, version, name, ticket;
    std::string reverses;  ///< UUID of the run that this one takes back; ""
    std::string target;    ///< without password
    std::string
        state;  ///< as the ledger has it: processing, done, skipped, failed, stopped, cancelled, paused
    bool dry_run = false;
    bool resumed = false;                   ///< it goes on with what had stopped before
    std::uint64_t rows_changed = 0;         ///< so far, by all who worked on it
    std::uint64_t rows_failed = 0;          ///< that could not be changed, and were skipped
    std::int64_t duration_ms = 0;           ///< of this process's work on it
    std::string error;                      ///< why it failed or stands still: one message, without hint; ""
    ExitCode exit_status = ExitCode::done;  ///< that `run` ends with
    std::string csv_directory;
};

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
    /// After batch_done. @param changed rows of all batches of the run, by all who worked on it
    virtual void rows_changed(std::uint64_t changed) { (void)changed; }
    /// The run is this process's to do from here on: the ledger has it, and the target knows of it. A run
    /// that is only ended for good is not taken.
    virtual void run_taken(const RunNotice& notice) { (void)notice; }
    /// The run stands still until somebody lets it go on; it has not ended. @param why "paused by alice"
    virtual void run_paused(const std::string& why) { (void)why; }
    /// The run has ended or stopped (done, failed, paused), behind everything that is recorded of it. Not
    /// told where somebody else has taken the run over.
    virtual void run_concluded(const RunNotice& notice) { (void)notice; }
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
