#include "cli/signals.hpp"

#include <csignal>

#include <unistd.h>

namespace datachange {

namespace {

constexpr int watched[] = {SIGINT, SIGTERM, SIGHUP};
constexpr int wake_up = SIGURG;  // does nothing to those who do not wait for it

sigset_t watched_set() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : watched) sigaddset(&set, signal);
    sigaddset(&set, wake_up);
    return set;
}

/// What the process would have done without us.
void end_process(int signal) {
    std::signal(signal, SIG_DFL);
    sigset_t set = watched_set();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    ::kill(::getpid(), signal);
}

void watch(const std::stop_token& ended, StopRequest& stop) {
    const sigset_t set = watched_set();
    while (!ended.stop_requested()) {
        int signal = 0;
        if (sigwait(&set, &signal) != 0 || signal == wake_up) continue;
        if (stop.at_once()) end_process(signal);
        stop.request();
    }
}

}  // namespace

SignalWatch::SignalWatch(StopRequest& stop) {
    const sigset_t set = watched_set();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    m_thread = std::jthread([&stop](const std::stop_token& ended) { watch(ended, stop); });
}

SignalWatch::~SignalWatch() {
    m_thread.request_stop();
    pthread_kill(m_thread.native_handle(), wake_up);
    m_thread.join();
    sigset_t set = watched_set();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace datachange
