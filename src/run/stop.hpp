#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
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

    StopRequest() = default;
    /// One run of several: what is asked of `all` is asked of it as well. `all` outlives it.
    explicit StopRequest(StopRequest& all) : m_all(&all) {
        m_of_all.emplace(all, [this] { interrupt(); });
    }
    StopRequest(const StopRequest&) = delete;
    StopRequest& operator=(const StopRequest&) = delete;

    /// Asks once more.
    void request() {
        const int level = ++m_level;
        {
            const std::lock_guard lock(m_mutex);
            m_asked.notify_all();
        }
        if (level >= 2) interrupt();
    }
    bool requested() const { return m_level > 0 || (m_all != nullptr && m_all->requested()); }
    bool at_once() const { return m_level > 1 || (m_all != nullptr && m_all->at_once()); }

    /// Waits so long, or until it is asked of this one itself. @return whether that was asked
    bool wait(std::chrono::milliseconds duration) {
        std::unique_lock lock(m_mutex);
        return m_asked.wait_for(lock, duration, [this] { return m_level > 0; });
    }

    /// Asks, unless somebody has already: what another run's failure may do, without cutting short a batch in
    /// hand.
    void request_first() {
        int none = 0;
        if (!m_level.compare_exchange_strong(none, 1)) return;
        const std::lock_guard lock(m_mutex);
        m_asked.notify_all();
    }

private:
    void interrupt() {
        const std::lock_guard lock(m_mutex);
        for (const std::function<void()>& call : m_interrupts) call();
    }

    std::atomic<int> m_level{0};
    std::mutex m_mutex;
    std::condition_variable m_asked;
    std::list<std::function<void()>> m_interrupts;
    StopRequest* m_all = nullptr;
    std::optional<Interrupt> m_of_all;
};

}  // namespace datachange
