#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace datachange {

/// What a run spends its time on. Workers do things beside each other, so the sum may exceed the duration.
enum class Phase : std::uint8_t {
    server,   ///< waiting for the target to answer
    decode,   ///< its answers, into rows
    compare,  ///< before with after, and with what RETURNING gave
    encode,   ///< rows, as the ledger has them, and their hashes
    durable,  ///< waiting for the ledger to have them on its disk
    ledger,   ///< the ledger's thread at work
    csv,      ///< the CSV files' thread at work
};
inline constexpr std::array all_phases{Phase::server,  Phase::decode, Phase::compare, Phase::encode,
                                       Phase::durable, Phase::ledger, Phase::csv};
const char* phase_name(Phase phase) noexcept;

/// Adds up time by phase, from all threads. Only one is active at a time; where none is, timing costs
/// nothing.
class Timings {
public:
    /// This one is active while it lives.
    Timings();
    ~Timings();
    Timings(const Timings&) = delete;
    Timings& operator=(const Timings&) = delete;

    static Timings* active() noexcept { return s_active.load(std::memory_order_relaxed); }

    void add(Phase phase, std::chrono::nanoseconds time) noexcept {
        m_nanoseconds[static_cast<std::size_t>(phase)] += time.count();
    }
    double seconds(Phase phase) const noexcept {
        return static_cast<double>(m_nanoseconds[static_cast<std::size_t>(phase)].load()) / 1e9;
    }

private:
    static std::atomic<Timings*> s_active;
    std::array<std::atomic<std::int64_t>, all_phases.size()> m_nanoseconds{};
};

/// Counts the time until the end of the scope for a phase.
class PhaseTimer {
public:
    explicit PhaseTimer(Phase phase) noexcept : m_timings(Timings::active()), m_phase(phase) {
        if (m_timings) m_start = std::chrono::steady_clock::now();
    }
    ~PhaseTimer() {
        if (m_timings) m_timings->add(m_phase, std::chrono::steady_clock::now() - m_start);
    }
    PhaseTimer(const PhaseTimer&) = delete;
    PhaseTimer& operator=(const PhaseTimer&) = delete;

private:
    Timings* m_timings;
    Phase m_phase;
    std::chrono::steady_clock::time_point m_start;
};

}  // namespace datachange
