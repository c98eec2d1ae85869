#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <utility>

namespace datachange {

/// How a run is asked to end from outside (Ctrl-C, SIGTERM): once, it ends after the batch in hand; twice,
/// the batch in hand is rolled back at once. Either way it can be resumed. Thread-safe.
class StopRequest {
public:
    /// While it is there, a second request calls it: it ends the statement in hand.
    class Interrupt {
    public:
        Interrupt(StopRequest& stop, std::function<void()> call) : m_stop(stop) {
            const std::lock_guard lock(stop.m_mutex);
            m_place = stop.m_interrupts.insert(stop.m_interrupts.end(), std::move(call));
        }
        ~Interrupt() {
            const std::lock_guard lock(m_stop.m_mutex);
            m_stop.m_interrupts.erase(m_place);
        }
        Interrupt(const Interrupt&) = delete;
        Interrupt& operator=(const Interrupt&) = delete;

    private:
        StopRequest& m_stop;
        std::list<std::function<void()>>::iterator m_place;
    };

    /// Asks once more.
    void request() {
        if (++m_level < 2) return;
        const std::lock_guard lock(m_mutex);
        for (const std::function<void()>& interrupt : m_interrupts) interrupt();
    }
    /// Asks, unless somebody has already: what another run's failure may do, without cutting short a batch in
    /// hand.
    void request_first() {
        int none = 0;
        m_level.compare_exchange_strong(none, 1);
    }
    bool requested() const { return m_level > 0; }
    bool at_once() const { return m_level > 1; }

private:
    std::atomic<int> m_level{0};
    std::mutex m_mutex;
    std::list<std::function<void()>> m_interrupts;
};

}  // namespace datachange
