#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/capture.hpp"
#include "plan/plan.hpp"
#include "run/fence.hpp"
#include "run/journal.hpp"
#include "run/listener.hpp"
#include "run/preflight.hpp"
#include "target/target.hpp"

namespace datachange {

/// Who runs, as it is recorded.
struct RunIdentity {
    std::string operator_name, host, owner, tool_version;
};

/// What a run works with. The journal is opened only when everything has been checked.
struct RunParts {
    Target& target;
    Journal& journal;
    Listener& listener;
    RunIdentity identity;
    bool dry_run = false;
    bool again = false;
    const std::atomic<bool>* stop = nullptr;  ///< set from outside: end after the batch in hand
};

/// Runs a plan: checks everything, takes the version, changes the target batch by batch, keeps the evidence.
///
/// Nothing is changed before everything that can be checked has been.
/// @throws Error; its hint says what was kept. Code partial if some batch was committed.
RunResult run_plan(const Plan& plan, const RunParts& parts);

}  // namespace datachange
