#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

namespace datachange {

/// How a run is asked to end from outside (Ctrl-C, SIGTERM): once, it ends after the batch in hand; twice, the batch
/// in hand is rolled back at once. Either way it can be resumed. Thread-safe.
class StopRequest {
public:
    /// Asks once more.
    void request() {
        const int level = ++m_level;
        const std::lock_guard lock(m_mutex);
        if (level > 1 && m_interrupt) m_interrupt();
    }
    bool requested() const { return m_level > 0; }
    bool at_once() const { return m_level > 1; }

    /// What ends the statement in hand; nullptr when there is nothing to end any more.
    void on_interrupt(std::function<void()> interrupt) {
        const std::lock_guard lock(m_mutex);
        m_interrupt = std::move(interrupt);
    }

private:
    std::atomic<int> m_level{0};
    std::mutex m_mutex;
    std::function<void()> m_interrupt;
};

}  // namespace datachange
