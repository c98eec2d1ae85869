#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "run/fence.hpp"
#include "run/journal.hpp"
#include "run/listener.hpp"
#include "run/stop.hpp"
#include "run/throttle.hpp"

namespace datachange {

/// The run was asked to stop, and can be resumed.
class Stopped : public Error {
public:
    using Error::Error;
};

/// The run was asked to end for good.
class Cancelled : public Error {
public:
    using Error::Error;
};

/// What acts on a run from outside while it goes on: Ctrl-C, requests in the journal, throttling.
class Control {
public:
    /// @param fence nullptr in a dry run; @param stop may be nullptr
    Control(Target& target, Fence* fence, Journal& journal, Listener& listener, StopRequest* stop,
            const ThrottleOptions& throttle);

    /// The same run for another worker on it, with a connection of its own.
    Control(const Control& other, Target& target, Fence& fence)
        : m_target(target),
          m_fence(&fence),
          m_journal(other.m_journal),
          m_listener(other.m_listener),
          m_stop(other.m_stop),
          m_uuid(other.m_uuid),
          m_shared(other.m_shared) {}

    /// Names the run whose requests are obeyed.
    void begin(const std::string& uuid) { m_uuid = uuid; }

    /// Waits as long as throttling says, outside of a transaction. @throws Stopped, Cancelled
    void before_batch();
    void batch_done(std::uint64_t rows);
    /// Does what is asked of the run; while it is paused, that is waiting. @throws Stopped, Cancelled
    void obey(const RunRequests& requests);

    /// @throws Stopped as soon as that is asked
    void wait(std::chrono::milliseconds duration) const;
    /// @throws Stopped
    void require_not_stopped() const;
    bool stop_requested() const { return m_stop != nullptr && m_stop->requested(); }

    Listener& listener() { return m_listener; }

private:
    ThrottleDecision throttle_decision();
    void look_at_requests();
    void wait_while_paused(RunRequests requests);

    Target& m_target;
    Fence* m_fence;
    Journal& m_journal;
    Listener& m_listener;
    StopRequest* m_stop;
    std::string m_uuid;

    /// What all workers on a run have in common.
    struct Shared {
        explicit Shared(const ThrottleOptions& options) : throttle(options) {}
        std::mutex throttling;
        Throttle throttle;
        std::mutex pausing;  ///< one of them writes down that the run waits; the others wait for that one
    };
    std::shared_ptr<Shared> m_shared;
};

}  // namespace datachange
