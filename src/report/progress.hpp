#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "run/listener.hpp"

namespace datachange {

/// How far a run is, and how it reads; time is an argument, so that every line can be tested.
struct ProgressState {
    std::string target;  ///< its name where there are several, or ""
    std::string title;
    std::string step;           ///< "2 parcels", or "" where there is one step
    std::uint64_t done = 0;     ///< rows of the step
    std::uint64_t resumed = 0;  ///< those of them that were done before the run went on
    std::uint64_t total = 0;    ///< planned rows of the step
    std::uint64_t batches = 0;  ///< committed
    bool batched = false;
    bool started = true;                   ///< a step has; before, only what holds the run back can be told
    std::chrono::milliseconds elapsed{0};  ///< of the step, since the run went on
    std::string throttled;  ///< "replica lags 12.3 s", or "" where no throttle holds the run back
    std::string waiting;    ///< "paused by alice", or ""

    /// Rows a second since the run went on, 0 before its first batch.
    double rate() const;
    /// Seconds that are left at this rate, negative while nothing tells.
    double eta_seconds() const;
    /// What keeps the run from going on, on one line: "paused by alice", "throttled: replica lags 12.3 s", or
    /// "".
    std::string held() const;
};

/// Says when a log is told at once what holds the run back: where that is of another kind than before
/// (another text, numbers aside), and not more often than every 5 s.
class HeldNews {
public:
    /// To be asked after each change of the state. @return true: print a line now.
    bool due(const ProgressState& state, std::chrono::steady_clock::time_point now);

private:
    std::string m_kind;
    std::optional<std::chrono::steady_clock::time_point> m_told;
};

/// "[#####.....]  52 %  5,200 of 10,000 rows  1,040 rows/s  ETA 0:05", at most `width` columns. What holds
/// the run back stands in place of the ETA, and is the last to go where the terminal is narrow.
/// @param color paints the bar with ANSI codes, which do not count.
std::string progress_bar(const ProgressState& state, std::size_t width, bool color);
/// The same facts as one plain line, for logs; what holds the run back is appended.
std::string progress_line(const ProgressState& state);
/// The same as one JSON object, for machines: event, target (where there are several), title, step, rows,
/// total, batches, rate, eta_s, elapsed_ms, throttled, waiting.
std::string progress_json(const ProgressState& state);

enum class ProgressStyle { none, bar, lines, json };

/// A listener that shows progress: a bar repainted at most 4 times a second, a line every 5 seconds (and
/// when the run is held back, see HeldNews), or a JSON object every second and after each step. Warnings are
/// printed at once in each style but json, where they are objects.
/// @param write takes whole pieces of output (stderr); @param width asks the terminal for its columns.
/// @param target its name, where several are worked on at once: each line begins with it
std::unique_ptr<Listener> show_progress(ProgressStyle style, bool color,
                                        std::function<void(const std::string&)> write,
                                        std::function<std::size_t()> width, const std::string& target = {});

/// How a warning reads, with its line end.
std::string warning_text(ProgressStyle style, const std::string& target, const std::string& text);
/// Rows done as a part of those planned, in whole percents, rounded down.
int percent(const ProgressState& state);

}  // namespace datachange
