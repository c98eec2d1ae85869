#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "run/batch_runner.hpp"
#include "run/runner.hpp"
#include "run/stop.hpp"

namespace datachange {

/// Sessions that work on batches beside each other, each with a connection of its own.
class Workers {
public:
    /// What a batch is done with.
    struct Session {
        std::unique_ptr<Target> target;
        std::unique_ptr<Fence> fence;
        std::unique_ptr<Control> control;
        std::unique_ptr<BatchRunner> runner;
    };
    using Job = std::function<void(Session&)>;

    /// @param stop a second request ends the statements of all sessions; may be nullptr
    Workers(std::vector<Session> sessions, StopRequest* stop);
    /// Waits for the jobs in hand.
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// Has a session do the job as soon as one is free, and no job is open that was handed out more than a
    /// session's number of jobs before it.
    /// @throws what the first failed job threw, after those in hand have ended
    void submit(Job job);
    /// Waits for all jobs. @throws as submit
    void drain();

private:
    void work(Session& session, const std::stop_token& ended);
    bool may_start() const;
    void rethrow(std::unique_lock<std::mutex>& lock);

    std::vector<Session> m_sessions;
    std::unique_ptr<StopRequest::Interrupt> m_interrupt;
    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    Job m_next;                           ///< handed out, and not taken yet
    std::uint64_t m_number = 0;           ///< of the job handed out last
    std::set<std::uint64_t> m_open;       ///< jobs that have not ended
    std::exception_ptr m_failure;         ///< the first
    std::vector<std::jthread> m_threads;  ///< last: they use all of the above
};

/// Opens a session for each of the run's workers, with what it works with.
std::unique_ptr<Workers> start_workers(const RunParts& parts, const TransactionParts& transaction,
                                       Control& control);

}  // namespace datachange
