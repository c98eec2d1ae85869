#include "run/backoff.hpp"

#include <algorithm>
#include <limits>

#include "support/catch.hpp"

using namespace datachange;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

struct Waits {
    milliseconds shortest = milliseconds::max();
    milliseconds longest{0};
};

/// Of 1,000 tries, always the same ones.
Waits waits(unsigned n, milliseconds base, milliseconds cap) {
    Backoff backoff(20260301);
    Waits found;
    for (int i = 0; i < 1'000; ++i) {
        const milliseconds wait = backoff.before_retry(n, base, cap);
        found.shortest = std::min(found.shortest, wait);
        found.longest = std::max(found.longest, wait);
    }
    return found;
}

}  // namespace

TEST_CASE("a retry waits anything from nothing up to twice as long as the one before") {
    milliseconds most = 100ms;
    for (unsigned n = 1; n <= 6; ++n, most *= 2) {
        INFO(n);
        const Waits found = waits(n, 100ms, 1h);
        CHECK(found.shortest >= 0ms);
        CHECK(found.shortest < most / 10);
        CHECK(found.longest <= most);
        CHECK(found.longest > most * 9 / 10);
    }
}

TEST_CASE("no retry waits for longer than the cap, however many there were") {
    for (const unsigned n : {7U, 63U, 64U, 65U, std::numeric_limits<unsigned>::max()}) {
        INFO(n);
        const Waits found = waits(n, 100ms, 5s);
        CHECK(found.longest <= 5s);
        CHECK(found.longest > 4500ms);
    }
    CHECK(waits(3, 10s, 50ms).longest <= 50ms);
    CHECK(waits(100, 1ms, milliseconds::max()).longest > 1h);
}

TEST_CASE("without a base or a cap a retry does not wait") {
    CHECK(waits(1'000'000'000, 0ms, 5s).longest == 0ms);
    CHECK(waits(3, 100ms, 0ms).longest == 0ms);
}

TEST_CASE("two runs that collided do not wait the same") {
    Backoff one(1);
    Backoff other(2);
    bool apart = false;
    for (unsigned n = 1; n <= 8; ++n)
        apart = apart || one.before_retry(n, 1s, 1h) != other.before_retry(n, 1s, 1h);
    CHECK(apart);
}
