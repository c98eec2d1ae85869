#include "run/batch_sizer.hpp"

#include <limits>
#include <vector>

#include <rapidcheck.h>

#include "support/catch.hpp"

using namespace datachange;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t no_most = std::numeric_limits<std::uint64_t>::max();

BatchSizing sizing(std::uint64_t least, std::uint64_t most) {
    BatchSizing limits;
    limits.least = least;
    limits.most = most;
    return limits;
}

}  // namespace

TEST_CASE("the batch size follows GitLab's rule, by hand") {
    BatchSizer sizer(1'000, sizing(100, 20'000));
    CHECK(sizer.size() == 1'000);

    // e = 500 / 1000 = 0.5; 0.95 / 0.5 = 1.9, at most 1.2; 1000 * 1.2 = 1200
    sizer.took(milliseconds(500));
    CHECK(sizer.size() == 1'200);

    // e = (0.6 + 0.5 * 0.6) / (1 + 0.6) = 0.9 / 1.6 = 0.5625; 0.95 / 0.5625 = 1.69, at most 1.2; 1200 * 1.2 =
    // 1440
    sizer.took(milliseconds(600));
    CHECK(sizer.size() == 1'440);

    // e = (2 + 0.6 * 0.6 + 0.5 * 0.36) / (1 + 0.6 + 0.36) = 2.54 / 1.96 = 1.2959; 0.95 / 1.2959 = 0.73307;
    // 1440 * 0.73307 = 1055.62
    sizer.took(milliseconds(2'000));
    CHECK(sizer.size() == 1'055);

    // e = (0.484 + 0.6 * 2.54) / (1 + 0.6 * 1.96) = 2.008 / 2.176 = 0.9228: within 0.90 to 0.95
    sizer.took(milliseconds(484));
    CHECK(sizer.size() == 1'055);

    // e = (0.8 + 0.6 * 2.008) / (1 + 0.6 * 2.176) = 2.0048 / 2.3056 = 0.86954; 0.95 / 0.86954 = 1.09254;
    // 1055 * 1.09254 = 1152.62
    sizer.took(milliseconds(800));
    CHECK(sizer.size() == 1'152);
}

TEST_CASE("batches that take 0.90 to 0.95 of the target time stay as they are, bounds included") {
    for (const int duration : {900, 920, 950}) {
        INFO(duration);
        BatchSizer sizer(1'000, sizing(100, 20'000));
        for (int batch = 0; batch < 30; ++batch) sizer.took(milliseconds(duration));
        CHECK(sizer.size() == 1'000);
    }
    BatchSizer slower(1'000, sizing(100, 20'000));
    slower.took(milliseconds(951));  // 1000 * 0.95 / 0.951 = 998.9
    CHECK(slower.size() == 998);
    BatchSizer faster(1'000, sizing(100, 20'000));
    faster.took(milliseconds(899));  // 1000 * 0.95 / 0.899 = 1056.7
    CHECK(faster.size() == 1'056);
}

TEST_CASE("the batch size is measured against the target time that was asked for") {
    BatchSizing limits = sizing(100, 20'000);
    limits.target = milliseconds(250);
    BatchSizer sizer(1'000, limits);
    sizer.took(milliseconds(500));  // e = 2; 1000 * 0.475
    CHECK(sizer.size() == 475);
}

TEST_CASE("batches that take no time at all make the size grow by a fifth") {
    BatchSizer sizer(1'000, sizing(100, 20'000));
    sizer.took(milliseconds(0));
    CHECK(sizer.size() == 1'200);
}

TEST_CASE("the batch size never leaves its limits") {
    BatchSizer sizer(1'000, sizing(900, 1'100));
    sizer.took(milliseconds(1));
    CHECK(sizer.size() == 1'100);
    sizer.took(milliseconds(1'000'000));
    CHECK(sizer.size() == 900);
    CHECK(BatchSizer(5, sizing(900, 1'100)).size() == 900);
    CHECK(BatchSizer(5'000, sizing(900, 1'100)).size() == 1'100);
}

TEST_CASE("only the last 20 batches count") {
    BatchSizer sizer(100, sizing(100, 20'000));
    sizer.took(milliseconds(10'000'000));
    // e = 0.85 + (10000 - 0.85) * 0.6^19 * 0.4 / (1 - 0.6^20) = 1.09 after 19 more: too slow still
    for (int batch = 0; batch < 19; ++batch) sizer.took(milliseconds(850));
    CHECK(sizer.size() == 100);
    // the first no longer counts (else e would be 0.996): e = 0.85; 100 * 0.95 / 0.85 = 111.8
    sizer.took(milliseconds(850));
    CHECK(sizer.size() == 111);
}

TEST_CASE("a batch size that is not adaptive never changes, whatever the limits") {
    BatchSizing fixed = sizing(100, 200);
    fixed.adaptive = false;
    BatchSizer sizer(7, fixed);
    for (const int duration : {0, 1, 950, 100'000}) {
        sizer.took(milliseconds(duration));
        CHECK(sizer.size() == 7);
    }
}

TEST_CASE(
    "any batch times leave the size within its limits, and a batch changes it by a fifth upward at most") {
    CHECK(rc::check([](std::uint64_t size, std::uint64_t a, std::uint64_t b,
                       const std::vector<std::int64_t>& times, std::int32_t target) {
        BatchSizing limits = sizing(std::min(a, b), std::max(a, b));
        limits.target = milliseconds(target);
        BatchSizer sizer(size, limits);
        const std::uint64_t least = std::max<std::uint64_t>(limits.least, 1);
        const std::uint64_t most = std::max<std::uint64_t>(limits.most, 1);
        for (const std::int64_t time : times) {
            const auto before = static_cast<double>(sizer.size());
            sizer.took(milliseconds(time));
            RC_ASSERT(sizer.size() >= least);
            RC_ASSERT(sizer.size() <= most);
            RC_ASSERT(static_cast<double>(sizer.size()) <= before * 1.2000001);
        }
    }));
}

TEST_CASE("without an upper limit the size stops at the greatest number there is") {
    BatchSizer sizer(no_most - 1, sizing(100, no_most));
    sizer.took(milliseconds(1));
    CHECK(sizer.size() == no_most);
}
