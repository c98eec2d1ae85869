#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace datachange {

/// Exponential back-off with full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture
/// Blog, 2015): those who collided spread over the whole time, instead of colliding again.
class Backoff {
public:
    explicit Backoff(std::uint64_t seed = std::random_device{}()) : m_random(seed) {}

    /// How long to wait before try n again: random in [0, min(cap, base * 2^(n-1))].
    /// @param n 1 is the first retry.
    std::chrono::milliseconds before_retry(unsigned n, std::chrono::milliseconds base,
                                           std::chrono::milliseconds cap);

private:
    std::mt19937_64 m_random;
};

}  // namespace datachange
