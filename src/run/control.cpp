#include "run/control.hpp"

#include <thread>

#include <fmt/format.h>

namespace datachange {

namespace {

using namespace std::chrono_literals;

constexpr auto request_interval = 1000ms;  // how often a run that waits looks for requests

std::string by_whom(const RunRequests& requests) {
    return requests.by.empty() ? "" : " by " + requests.by;
}

}  // namespace

Control::Control(Target& target, Fence* fence, Journal& journal, Listener& listener, StopRequest* stop,
                 const ThrottleOptions& throttle)
    : m_target(target),
      m_fence(fence),
      m_journal(journal),
      m_listener(listener),
      m_stop(stop),
      m_shared(std::make_shared<Shared>(throttle)) {
}

void Control::before_batch() {
    require_not_stopped();
    if (!m_fence) return;
    for (;;) {
        const ThrottleDecision decision = throttle_decision();
        m_listener.throttled(decision.reason);
        if (decision.wait.count() == 0) return;
        wait(decision.wait);
        if (decision.wait >= request_interval) look_at_requests();
    }
}

ThrottleDecision Control::throttle_decision() {
    const std::lock_guard lock(m_shared->throttling);
    return m_shared->throttle.decide(m_target, std::chrono::steady_clock::now());
}

void Control::batch_done(std::uint64_t rows) {
    const std::lock_guard lock(m_shared->throttling);
    m_shared->throttle.batch_done(rows, std::chrono::steady_clock::now());
}

void Control::look_at_requests() {
    obey(m_fence->requests(m_uuid));
}

void Control::obey(const RunRequests& requests) {
    {
        const std::lock_guard lock(m_shared->throttling);
        m_shared->throttle.set_rate(requests.max_rows_per_second);
    }
    if (requests.pause) {
        const std::lock_guard lock(m_shared->pausing);
        const RunRequests now = m_fence->requests(m_uuid);
        if (now.pause) wait_while_paused(now);
    }
    if (requests.cancel) throw Cancelled(ExitCode::failed, "the run was cancelled" + by_whom(requests), "");
}

/// The state is written when the waiting begins and when it ends: then no batch is in hand that would hold
/// the row.
void Control::wait_while_paused(RunRequests requests) {
    m_journal.state("paused");
    m_journal.event("paused", "asked for" + by_whom(requests));
    m_fence->set_state("paused");
    m_listener.waiting("paused" + by_whom(requests));
    m_listener.run_paused("paused" + by_whom(requests));
    while (requests.pause) {
        wait(request_interval);
        requests = m_fence->requests(m_uuid);
    }
    m_listener.waiting("");
    m_fence->set_state("processing");
    m_journal.state("processing");
    m_journal.event("unpaused", "asked for" + by_whom(requests));
    if (requests.cancel) obey(requests);
}

void Control::wait(std::chrono::milliseconds duration) const {
    constexpr auto slice = 50ms;  // how soon a signal is noticed
    const auto end = std::chrono::steady_clock::now() + duration;
    for (;;) {
        require_not_stopped();
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (left.count() <= 0) return;
        std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(left, slice));
    }
}

void Control::require_not_stopped() const {
    if (stop_requested()) throw Stopped(ExitCode::pending, "stopped on request", "");
}

}  // namespace datachange
