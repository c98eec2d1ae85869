#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "run/listener.hpp"

namespace datachange {

/// How far a run is, and how it reads; time is an argument, so that every line can be tested.
struct ProgressState {
    std::string title;
    std::string step;           ///< "2 parcels", or "" where there is one step
    std::uint64_t done = 0;     ///< rows of the step
    std::uint64_t total = 0;    ///< planned rows of the step
    std::uint64_t batches = 0;  ///< committed
    bool batched = false;
    std::chrono::milliseconds elapsed{0};  ///< of the step

    /// Rows a second, 0 before the first batch.
    double rate() const;
    /// Seconds that are left at this rate, negative while nothing tells.
    double eta_seconds() const;
};

/// "[#####.....]  52 %  5,200 of 10,000 rows  1,040 rows/s  ETA 0:05", at most `width` columns.
/// @param color paints the bar with ANSI codes, which do not count.
std::string progress_bar(const ProgressState& state, std::size_t width, bool color);
/// The same facts as one plain line, for logs.
std::string progress_line(const ProgressState& state);
/// The same as one JSON object, for machines: event, title, step, rows, total, batches, rate, eta_s,
/// elapsed_ms.
std::string progress_json(const ProgressState& state);

enum class ProgressStyle { none, bar, lines, json };

/// A listener that shows progress: a bar repainted at most 4 times a second, a line every 5 seconds, or a
/// JSON object every second and after each step. Warnings are printed at once in each style but json, where
/// they are objects.
/// @param write takes whole pieces of output (stderr); @param width asks the terminal for its columns.
std::unique_ptr<Listener> show_progress(ProgressStyle style, bool color,
                                        std::function<void(const std::string&)> write,
                                        std::function<std::size_t()> width);

}  // namespace datachange
