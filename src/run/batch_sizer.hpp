#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace datachange {

/// Limits of the adaptive batch size.
struct BatchSizing {
    std::chrono::milliseconds target{1000};  ///< how long a batch should take
    std::uint64_t least = 100;               ///< rows
    std::uint64_t most = 20'000;             ///< rows; wins where it is below `least`
    bool adaptive = true;
};

/// Batch size by GitLab's published rule (docs.gitlab.com, "Batched background migrations"; BatchOptimizer in
/// its source): efficiency e = duration / target, smoothed as sum(e_i * 0.6^i) / sum(0.6^i) over the last 20
/// batches, i = 0 being the newest; inside [0.90, 0.95] nothing changes; else size = trunc(size * min(0.95 /
/// e, 1.2)), clamped to [least, most].
///
/// Unlike GitLab's it acts from the first batch on (theirs waits for 20, as a job of theirs takes minutes)
/// and does not round e. By the rule a size below 5 cannot grow: trunc(4 * 1.2) = 4.
class BatchSizer {
public:
    /// @param size rows of the first batch; brought into the limits if the size is adaptive, else kept as it
    /// is.
    BatchSizer(std::uint64_t size, const BatchSizing& sizing);

    /// Rows of the next batch.
    std::uint64_t size() const { return m_size; }
    /// A committed batch of full size took this long.
    void took(std::chrono::milliseconds duration);

private:
    double smoothed() const;
    std::uint64_t clamped(double size) const;

    BatchSizing m_sizing;
    std::uint64_t m_size;
    std::deque<double> m_efficiencies;  ///< newest first
};

}  // namespace datachange
