#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/task_thread.hpp"
#include "support/catch.hpp"

using namespace datachange;

TEST_CASE("tasks are done in the order in which they come, the last one before the end", "[core]") {
    std::vector<int> done;
    {
        TaskThread thread(2);
        for (int i = 0; i < 100; ++i) thread.post([&done, i] { done.push_back(i); });
    }
    REQUIRE(done.size() == 100);
    for (int i = 0; i < 100; ++i) CHECK(done[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("who calls waits for the result, or gets what was thrown", "[core]") {
    TaskThread thread(1);
    CHECK(thread.call([] { return std::string("seven"); }) == "seven");
    CHECK_THROWS_AS(thread.call([]() -> int { throw std::runtime_error("no"); }), std::runtime_error);
    int value = 0;
    thread.call([&] { value = 7; });
    CHECK(value == 7);
    // a task may call again: it is in the thread already
    CHECK(thread.call([&] { return thread.call([] { return 3; }); }) == 3);
}

TEST_CASE("several threads share one, and none of their tasks is lost", "[core]") {
    int sum = 0;
    {
        TaskThread thread(3);
        std::vector<std::jthread> callers;
        for (int i = 0; i < 4; ++i) {
            callers.emplace_back([&] {
                for (int k = 0; k < 250; ++k) thread.call([&sum] { ++sum; });
            });
        }
    }
    CHECK(sum == 1000);
}

TEST_CASE("no signal is delivered to the thread", "[core]") {
    TaskThread thread(1);
    sigset_t blocked = thread.call([] {
        sigset_t set;
        pthread_sigmask(SIG_SETMASK, nullptr, &set);
        return set;
    });
    CHECK(sigismember(&blocked, SIGTERM) == 1);
    CHECK(sigismember(&blocked, SIGINT) == 1);
}
