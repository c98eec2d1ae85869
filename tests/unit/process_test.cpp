#include <csignal>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/process.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

/// A process that waits until it is killed.
class Sleeper {
public:
    Sleeper() : m_pid(::fork()) {
        if (m_pid == 0) {
            for (;;) ::pause();
        }
        REQUIRE(m_pid > 0);
    }
    ~Sleeper() { end(); }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    pid_t pid() const { return m_pid; }
    /// Killed and not yet collected by its parent.
    void kill() const {
        ::kill(m_pid, SIGKILL);
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(m_pid), &info, WEXITED | WNOWAIT);
    }
    void end() {
        if (m_ended) return;
        kill();
        ::waitpid(m_pid, nullptr, 0);
        m_ended = true;
    }

private:
    pid_t m_pid;
    bool m_ended = false;
};

}  // namespace

TEST_CASE("a process of this host that is at work is not gone", "[process]") {
    const std::string now = utc_now();
    CHECK_FALSE(process_gone(host_name(), ::getpid(), now));
    const Sleeper sleeper;
    CHECK_FALSE(process_gone(host_name(), sleeper.pid(), now));
    CHECK_FALSE(process_gone(host_name(), sleeper.pid(), ""));
}

TEST_CASE("a process that was killed is gone, collected or not", "[process]") {
    Sleeper sleeper;
    const std::string now = utc_now();
    sleeper.kill();
    CHECK(process_gone(host_name(), sleeper.pid(), now));
    sleeper.end();
    CHECK(process_gone(host_name(), sleeper.pid(), now));
}

TEST_CASE("a process that began later is another one under the same number", "[process]") {
    CHECK(process_gone(host_name(), ::getpid(), "2001-02-03T04:05:06.789Z"));
}

TEST_CASE("nothing is known of processes of other hosts, nor of one without a number", "[process]") {
    Sleeper sleeper;
    sleeper.end();
    CHECK_FALSE(process_gone(host_name() + "-2", sleeper.pid(), utc_now()));
    CHECK_FALSE(process_gone(host_name(), 0, utc_now()));
    CHECK_FALSE(process_gone(host_name(), -1, utc_now()));
}
