#pragma once

#include <thread>

#include "run/stop.hpp"

namespace datachange {

/// While it is there, Ctrl-C (SIGINT), SIGTERM and SIGHUP ask the run to stop instead of ending the process:
/// once, after the batch in hand; twice, at once. The third ends the process in the usual way. Make it before
/// any other thread, which would take the signals otherwise.
class SignalWatch {
public:
    explicit SignalWatch(StopRequest& stop);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

private:
    std::jthread m_thread;
};

}  // namespace datachange
