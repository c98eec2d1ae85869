#include "cli/signals.hpp"

#include <csignal>
#include <ctime>

#include <unistd.h>

namespace datachange {

namespace {

constexpr int watched[] = {SIGINT, SIGTERM, SIGHUP};

sigset_t watched_set() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : watched) sigaddset(&set, signal);
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
    const timespec patience{0, 100'000'000};  // how soon the end of the run is noticed
    while (!ended.stop_requested()) {
        const int signal = sigtimedwait(&set, nullptr, &patience);
        if (signal < 0) continue;
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
    m_thread = {};  // joins
    sigset_t set = watched_set();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace datachange
