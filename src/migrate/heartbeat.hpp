#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "migrate/queue.hpp"
#include "run/stop.hpp"
#include "target/target.hpp"

namespace datachange {

/// As long as it is there, the queue hears of an item's worker, through a connection of its own: four times
/// within the worker's timeout. Where somebody else has taken the item, the run is asked to stop at once.
class Heartbeat {
public:
    Heartbeat(std::function<std::unique_ptr<Target>()> connect, QueueItem item, StopRequest& run);
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

    /// The item is somebody else's now.
    bool lost() const { return m_lost; }

private:
    void beat();
    void beat_once(std::unique_ptr<Target>& target);

    std::function<std::unique_ptr<Target>()> m_connect;
    const QueueItem m_item;
    StopRequest& m_run;
    StopRequest m_ended;
    std::atomic<bool> m_lost{false};
    std::thread m_thread;
};

}  // namespace datachange
