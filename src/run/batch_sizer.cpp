#include "run/batch_sizer.hpp"

#include <algorithm>
#include <cmath>

namespace datachange {

namespace {

constexpr std::size_t counted_batches = 20;
constexpr double decay = 0.6;  // 1 - alpha, where GitLab's alpha is 0.4
constexpr double least_efficiency = 0.90;
constexpr double most_efficiency = 0.95;
constexpr double most_growth = 1.2;
// so that a binary fraction just beside a bound, or just below a whole number, counts as what was meant
constexpr double tolerance = 1e-9;

}  // namespace

BatchSizer::BatchSizer(std::uint64_t size, const BatchSizing& sizing) : m_sizing(sizing), m_size(size) {
    m_sizing.target = std::max(m_sizing.target, std::chrono::milliseconds{1});
    m_sizing.most = std::max<std::uint64_t>(m_sizing.most, 1);
    m_sizing.least = std::clamp<std::uint64_t>(m_sizing.least, 1, m_sizing.most);
    if (m_sizing.adaptive) m_size = std::clamp(size, m_sizing.least, m_sizing.most);
}

void BatchSizer::took(std::chrono::milliseconds duration) {
    if (!m_sizing.adaptive) return;
    m_efficiencies.push_front(static_cast<double>(std::max<std::int64_t>(duration.count(), 0)) /
                              static_cast<double>(m_sizing.target.count()));
    if (m_efficiencies.size() > counted_batches) m_efficiencies.pop_back();
    const double efficiency = smoothed();
    if (efficiency >= least_efficiency - tolerance && efficiency <= most_efficiency + tolerance) return;
    // by multiplication: an efficiency of 0 has no inverse
    const bool fast = most_growth * efficiency <= most_efficiency;
    m_size = clamped(static_cast<double>(m_size) * (fast ? most_growth : most_efficiency / efficiency));
}

double BatchSizer::smoothed() const {
    double sum = 0;
    double weights = 0;
    double weight = 1;
    for (const double efficiency : m_efficiencies) {
        sum += efficiency * weight;
        weights += weight;
        weight *= decay;
    }
    return sum / weights;
}

std::uint64_t BatchSizer::clamped(double size) const {
    // compared as fractions: a number beyond 64 bits cannot be converted
    if (size >= static_cast<double>(m_sizing.most)) return m_sizing.most;
    return std::max(static_cast<std::uint64_t>(size + tolerance), m_sizing.least);
}

}  // namespace datachange
