#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "report/progress.hpp"
#include "report/target_outcome.hpp"

namespace datachange {

/// How far a command is on several targets; time is an argument, so that every line can be tested.
struct TargetsState {
    std::size_t targets = 0, ended = 0, failed = 0;
    std::vector<ProgressState> running;  ///< in the order of their names
    std::chrono::milliseconds elapsed{0};
};

/// "[##......]  12 of 50 targets  1 failed  0:42  eu-7 45 %  us-2 12 %", at most `width` columns; targets
/// that do not fit are counted.
std::string targets_bar(const TargetsState& state, std::size_t width, bool color);

/// "eu-7: done, 1,234 rows (12 of 50)", "eu-7: failed: ...": what a log is told of a target that has ended.
std::string target_line(const TargetOutcome& outcome, const TargetsState& state);

/// How several targets are shown.
struct TargetsView {
    ProgressStyle style = ProgressStyle::lines;
    bool quiet = false;  ///< nothing but failures
    bool color = false;
    std::function<void(const std::string&)> write;  ///< takes whole pieces of output (stderr)
    std::function<std::size_t()> width;             ///< asks the terminal for its columns
};

/// Shows progress on several targets at once: one line repainted at most 4 times a second for all of them, or
/// lines and JSON objects as for one target, each with its name. Failures are told when they happen, in each
/// style. Thread-safe.
class TargetsProgress {
public:
    TargetsProgress(TargetsView view, std::size_t targets);
    ~TargetsProgress();
    TargetsProgress(const TargetsProgress&) = delete;
    TargetsProgress& operator=(const TargetsProgress&) = delete;

    /// The target is worked on from now on, until end(). What it gives must not outlive this.
    std::unique_ptr<Listener> begin(const std::string& target);
    void end(const TargetOutcome& outcome);

private:
    class Listening;

    void tick(const std::stop_token& stop);
    void write(const std::string& text);
    void print(const std::string& line);
    void paint();
    void clear_bar();
    TargetsState state() const;
    bool shows_bar() const { return m_view.style == ProgressStyle::bar && !m_view.quiet; }

    const TargetsView m_view;
    const std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    std::mutex m_mutex;
    std::condition_variable_any m_wake;
    TargetsState m_state;
    std::map<std::string, ProgressState> m_running;
    bool m_bar_shown = false;
    std::jthread m_ticker;  // last: it uses all of the above
};

}  // namespace datachange
