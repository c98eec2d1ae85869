#include "run/workers.hpp"

namespace datachange {

Workers::Workers(std::vector<Session> sessions, StopRequest* stop) : m_sessions(std::move(sessions)) {
    if (stop) {
        m_interrupt = std::make_unique<StopRequest::Interrupt>(*stop, [this] {
            for (const Session& session : m_sessions) session.target->cancel();
        });
    }
    for (Session& session : m_sessions) {
        m_threads.emplace_back([this, &session](const std::stop_token& ended) { work(session, ended); });
    }
}

Workers::~Workers() {
    for (std::jthread& thread : m_threads) thread.request_stop();
    m_threads.clear();  // joins
}

bool Workers::may_start() const {
    const bool taken = !m_next;
    const bool session_free = m_open.size() < m_sessions.size();
    const bool near = m_open.empty() || m_number + 1 - *m_open.begin() <= m_sessions.size();
    return taken && session_free && near;
}

void Workers::submit(Job job) {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_failure || may_start(); });
    if (m_failure) rethrow(lock);
    m_next = std::move(job);
    m_open.insert(++m_number);
    m_changed.notify_all();
}

void Workers::drain() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_open.empty(); });
    if (m_failure) rethrow(lock);
}

void Workers::rethrow(std::unique_lock<std::mutex>& lock) {
    m_changed.wait(lock, [this] { return m_open.empty(); });
    std::rethrow_exception(std::exchange(m_failure, nullptr));
}

void Workers::work(Session& session, const std::stop_token& ended) {
    std::unique_lock lock(m_mutex);
    while (m_changed.wait(lock, ended, [this] { return static_cast<bool>(m_next); })) {
        const Job job = std::exchange(m_next, nullptr);
        const std::uint64_t number = m_number;
        m_changed.notify_all();  // the next one may be handed out
        lock.unlock();
        std::exception_ptr failure;
        try {
            job(session);
        } catch (...) {
            failure = std::current_exception();
        }
        lock.lock();
        if (failure && !m_failure) m_failure = failure;
        m_open.erase(number);
        m_changed.notify_all();
    }
}

std::unique_ptr<Workers> start_workers(const RunParts& parts, const TransactionParts& transaction,
                                       Control& control) {
    std::vector<Workers::Session> sessions;
    for (unsigned i = 0; i < parts.workers; ++i) {
        Workers::Session session;
        session.target = parts.connect();
        session.target->set_timeouts(parts.timeouts);
        session.target->require_writable();
        session.fence = std::make_unique<Fence>(*transaction.fence, *session.target);
        session.control = std::make_unique<Control>(control, *session.target, *session.fence);
        const TransactionParts own{transaction.plan, *session.target, transaction.journal,
                                   session.fence.get()};
        session.runner = std::make_unique<BatchRunner>(own, *session.control, parts.retries);
        sessions.push_back(std::move(session));
    }
    return std::make_unique<Workers>(std::move(sessions), parts.stop);
}

}  // namespace datachange
