#include "core/task_thread.hpp"

#include <csignal>

namespace datachange {

namespace {

/// Signals are blocked in threads that are made while this lives.
class NoSignals {
public:
    NoSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &m_before);
    }
    ~NoSignals() { pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
    NoSignals(const NoSignals&) = delete;
    NoSignals& operator=(const NoSignals&) = delete;

private:
    sigset_t m_before{};
};

}  // namespace

TaskThread::TaskThread(std::size_t most_waiting) : m_most_waiting(most_waiting) {
    const NoSignals no_signals;
    m_thread = std::jthread([this](const std::stop_token& ended) { work(ended); });
}

TaskThread::~TaskThread() {
    m_thread.request_stop();
}

void TaskThread::post(std::function<void()> task) {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_waiting.size() < m_most_waiting; });
    m_waiting.push_back(std::move(task));
    m_changed.notify_all();
}

void TaskThread::work(const std::stop_token& ended) {
    std::unique_lock lock(m_mutex);
    while (m_changed.wait(lock, ended, [this] { return !m_waiting.empty(); })) {
        const std::function<void()> task = std::move(m_waiting.front());
        m_waiting.pop_front();
        m_changed.notify_all();
        lock.unlock();
        task();
        lock.lock();
    }
}

}  // namespace datachange
