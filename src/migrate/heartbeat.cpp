#include "migrate/heartbeat.hpp"

#include <algorithm>
#include <utility>

namespace datachange {

Heartbeat::Heartbeat(std::function<std::unique_ptr<Target>()> connect, QueueItem item, StopRequest& run)
    : m_connect(std::move(connect)), m_item(std::move(item)), m_run(run), m_thread([this] { beat(); }) {
}

Heartbeat::~Heartbeat() {
    m_ended.request();
    m_thread.join();
}

void Heartbeat::beat() {
    std::unique_ptr<Target> target;
    while (!m_lost && !m_ended.wait(m_item.worker_timeout / 4)) {
        try {
            beat_once(target);
        } catch (const std::exception&) {
            target.reset();  // the next one connects again; until then others may take the worker for dead
        }
    }
}

void Heartbeat::beat_once(std::unique_ptr<Target>& target) {
    if (!target) target = m_connect();
    if (Queue(*target).heartbeat(m_item) || m_ended.requested()) return;
    m_lost = true;
    m_run.request();
    m_run.request();  // the batch in hand could not be committed
}

}  // namespace datachange
