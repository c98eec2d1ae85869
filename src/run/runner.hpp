#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "plan/plan.hpp"
#include "run/admission.hpp"
#include "run/batch_sizer.hpp"
#include "run/journal.hpp"
#include "run/listener.hpp"
#include "run/stop.hpp"
#include "run/throttle.hpp"
#include "run/undo_plan.hpp"
#include "target/target.hpp"

namespace datachange {

/// Who runs, as it is recorded.
struct RunIdentity {
    std::string operator_name, host, owner, tool_version;
    std::int64_t process = 0;  ///< on that host
};

/// What a run works with. The journal is opened only when everything has been checked.
struct RunParts {
    Target& target;
    Journal& journal;
    Listener& listener;
    RunIdentity identity;
    bool dry_run = false;
    bool again = false;
    StopRequest* stop = nullptr;  ///< from outside; may be nullptr
    unsigned workers = 1;         ///< on batches beside each other; more than one needs `connect`
    std::function<std::unique_ptr<Target>()> connect = {};  ///< another connection to the target
    unsigned retries = 5;
    std::uint64_t max_failures = 1'000;  ///< rows
    bool skip_failures = false;          ///< whatever the plan says
    Timeouts timeouts = {};              ///< of each batch
    bool keep_batch_size = false;        ///< a run that goes on: the one that it began with
    BatchSizing sizing = {};
    ThrottleOptions throttle = {};
    std::string redaction_key = {};  ///< fingerprint of the key of digests; "": nothing is redacted
    /// Called when the version has been taken, before and after a run is taken over, and before anything is
    /// changed: whoever has this run done may say that it must not be after all. nullptr: nobody has a say.
    /// @throws TakenOver
    std::function<void(Target&, const RunHeader&)> entered = {};
    Admit admit = {};  ///< asked when everything else has been checked; none: anybody may run it alone
    bool hash_identifiers = false;  ///< StepResult::identifiers_sha256 is wanted
    const UndoRun* undo = nullptr;  ///< the plan takes a run back; nullptr: it is a definition's
};

/// Runs a plan: checks everything, takes the version, changes the target batch by batch, keeps the evidence.
/// A run of the version that had stopped goes on instead.
///
/// Nothing is changed before everything that can be checked has been.
/// @throws Error; its hint says what was kept. Code partial if some batch was committed.
RunResult run_plan(const Plan& plan, const RunParts& parts);

/// Goes on with one run that had stopped. @throws Error as run_plan
RunResult resume_plan(const Plan& plan, const RunParts& parts, const ResumeOptions& resume);

}  // namespace datachange
