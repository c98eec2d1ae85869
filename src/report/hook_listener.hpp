#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "core/task_thread.hpp"
#include "datachange/run.hpp"
#include "run/guarded_listener.hpp"

namespace datachange {

/// Names and values of variables of the environment.
using HookVariables = std::vector<std::pair<std::string, std::string>>;

/// The variables that tell a hook of a run. Long values are cut between characters, with an ellipsis.
/// @param more besides those of the notice, as HookOptions::environment has them
HookVariables hook_variables(const RunNotice& notice, const HookVariables& more);

/// The same as a JSON object on one line: names in lower case without DATACHANGE_, numbers as numbers,
/// `resumed` as true or false, null for what is empty.
std::string hook_json(const HookVariables& variables);

/// Calls the hooks of a run, and passes on all that it is told to another listener.
///
/// Hooks run in a thread of their own, one behind the other in the order of what they tell, and so hold
/// nothing up. One that fails is a warning to the other listener. The destructor waits for those that are
/// still to run, each at most for its timeout.
class HookListener : public GuardedListener {
public:
    /// @param listener outlives this one
    HookListener(HookOptions options, Listener& listener);

    void rows_changed(std::uint64_t changed) override;
    void run_taken(const RunNotice& notice) override;
    void run_paused(const std::string& why) override;
    void run_concluded(const RunNotice& notice) override;

private:
    const std::string& command_of(RunEvent event) const;
    void fire(const RunNotice& notice);
    void call(const RunNotice& notice, const std::string& command) noexcept;

    const HookOptions m_options;
    RunNotice m_run;  ///< as it was taken, with the rows that were changed since
    std::chrono::steady_clock::time_point m_taken;
    TaskThread m_hooks;  ///< last: it uses all of the above
};

}  // namespace datachange
