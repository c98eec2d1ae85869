#include "report/progress.hpp"

#include <nlohmann/json.hpp>

#include "report/table.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

ProgressState half_way() {
    ProgressState state;
    state.title = "20260301120000 backfill";
    state.done = 5'200;
    state.total = 10'000;
    state.batches = 2;
    state.batched = true;
    state.elapsed = std::chrono::seconds(5);
    return state;
}

}  // namespace

TEST_CASE("the bar shows rows, percent, rate and what is left") {
    CHECK(progress_bar(half_way(), 100, false) ==
          "[####################....................]  52 %  5,200 of 10,000 rows  1,040 rows/s  ETA 0:05");
}

TEST_CASE("the bar never is wider than the terminal") {
    for (std::size_t width = 1; width <= 200; ++width) {
        INFO(width);
        CHECK(display_width(progress_bar(half_way(), width, false)) <= width);
    }
}

TEST_CASE("before the first batch nothing is promised") {
    ProgressState state = half_way();
    state.done = 0;
    CHECK(progress_bar(state, 100, false).find("ETA -") != std::string::npos);
}

TEST_CASE("more rows than planned are no more than 100 percent") {
    ProgressState state = half_way();
    state.done = 12'000;
    CHECK(progress_bar(state, 100, false).find("100 %") != std::string::npos);
    CHECK(state.eta_seconds() == 0);
}

TEST_CASE("a log gets the same facts as one line") {
    CHECK(progress_line(half_way()) ==
          "20260301120000 backfill: 5,200 of 10,000 rows (52 %), 2 batches, 1,040 rows/s, ETA 0:05");
    ProgressState single = half_way();
    single.batched = false;
    CHECK(progress_line(single) == "20260301120000 backfill: 10,000 rows in one transaction, 0:05 so far");
}

TEST_CASE("a machine gets the same facts as JSON") {
    const auto json = nlohmann::json::parse(progress_json(half_way()));
    CHECK(json["event"] == "progress");
    CHECK(json["rows"] == 5200);
    CHECK(json["total"] == 10000);
    CHECK(json["rate"] == 1040);
    CHECK(json["eta_s"].get<double>() == Approx(4.6));
}

TEST_CASE("what holds the run back stands in place of the ETA") {
    ProgressState state = half_way();
    state.throttled = "replica lags 12.3 s (at most 5 s)";
    CHECK(progress_bar(state, 140, false) ==
          "[####################....................]  52 %  5,200 of 10,000 rows  1,040 rows/s  throttled: "
          "replica lags 12.3 s (at most 5 s)");
    state.throttled = "";
    state.waiting = "paused by alice";
    CHECK(progress_bar(state, 140, false) ==
          "[####################....................]  52 %  5,200 of 10,000 rows  1,040 rows/s  paused by "
          "alice");
    state.throttled = "at most 10 rows/s";  // the run would not go on without the throttle either
    CHECK(state.held() == "paused by alice");
    state.batched = false;
    CHECK(progress_bar(state, 140, false) == "10,000 rows in one transaction  0:05  paused by alice");
}

TEST_CASE("on a narrow terminal the reason is the last to go") {
    ProgressState state = half_way();
    state.throttled = "replica lags 12.3 s (at most 5 s)";
    CHECK(progress_bar(state, 90, false) ==
          "[######......]  52 %  5,200 of 10,000 rows  throttled: replica lags 12.3 s (at most 5 s)");
    CHECK(progress_bar(state, 68, false) ==
          "[######......]  52 %  throttled: replica lags 12.3 s (at most 5 s)");
    CHECK(progress_bar(state, 40, false) == " 52 %  throttled: replica lags 12.3 s …");
    for (const bool batched : {true, false}) {
        state.batched = batched;
        for (std::size_t width = 1; width <= 200; ++width) {
            INFO(width);
            CHECK(display_width(progress_bar(state, width, false)) <= width);
        }
    }
}

TEST_CASE("a reason of several lines cannot break the bar") {
    ProgressState state = half_way();
    state.waiting = "trying again in 2 s: connection\nlost\x1b[2J";
    CHECK(state.held() == "trying again in 2 s: connection\\nlost\\x1b[2J");
    CHECK(progress_bar(state, 200, false).find('\n') == std::string::npos);
    CHECK(progress_line(state).find('\n') == std::string::npos);
    state.waiting = "";
    state.throttled = "the file a\nb is there";
    CHECK(state.held() == "throttled: the file a\\nb is there");
}

TEST_CASE("a log is told what holds the run back") {
    ProgressState state = half_way();
    state.waiting = "trying again in 2 s: connection lost";
    CHECK(progress_line(state) ==
          "20260301120000 backfill: 5,200 of 10,000 rows (52 %), 2 batches, 1,040 rows/s, "
          "ETA 0:05, trying again in 2 s: connection lost");
    state.batched = false;
    CHECK(progress_line(state) ==
          "20260301120000 backfill: 10,000 rows in one transaction, 0:05 so far, trying again in 2 s: "
          "connection "
          "lost");
}

TEST_CASE("before the first step there is nothing but what holds the run back") {
    ProgressState state = half_way();
    state.started = false;
    state.waiting = "a COMMIT in flight";
    CHECK(progress_line(state) == "20260301120000 backfill: a COMMIT in flight");
    CHECK(progress_bar(state, 80, false) == "20260301120000 backfill: a COMMIT in flight");
    CHECK(progress_bar(state, 20, false) == "20260301120000 bac…");
}

TEST_CASE("a machine is told what holds the run back, and null where nothing does") {
    ProgressState state = half_way();
    CHECK(nlohmann::json::parse(progress_json(state))["throttled"].is_null());
    CHECK(nlohmann::json::parse(progress_json(state))["waiting"].is_null());
    state.throttled = "at most 10 rows/s";
    state.waiting = "paused by alice";
    CHECK(nlohmann::json::parse(progress_json(state))["throttled"] == "at most 10 rows/s");
    CHECK(nlohmann::json::parse(progress_json(state))["waiting"] == "paused by alice");
}

TEST_CASE("a run that goes on counts all rows, and its rate those done since") {
    ProgressState state = half_way();
    state.resumed = 5'200;
    CHECK(state.rate() == 0);
    CHECK(progress_bar(state, 100, false) ==
          "[####################....................]  52 %  5,200 of 10,000 rows  0 rows/s  ETA -");
    state.done = 5'700;  // 500 rows in 5 s; 4,300 are left
    CHECK(progress_line(state) ==
          "20260301120000 backfill: 5,700 of 10,000 rows (57 %), 2 batches, 100 rows/s, ETA 0:43");
}

TEST_CASE("a log is told at once when another reason holds the run back, at most every 5 seconds") {
    using namespace std::chrono_literals;
    const std::chrono::steady_clock::time_point start{1h};
    HeldNews news;
    ProgressState state = half_way();
    CHECK_FALSE(news.due(state, start));
    state.throttled = "replica lags 12.3 s (at most 5 s)";
    CHECK(news.due(state, start));
    state.throttled = "replica lags 1,013.9 s (at most 5 s)";
    CHECK_FALSE(news.due(state, start + 10s));  // the same, further on
    state.waiting = "paused by alice";
    CHECK(news.due(state, start + 11s));
    state.waiting = "trying again in 2 s: connection lost";
    CHECK_FALSE(news.due(state, start + 15s));  // too soon
    state.waiting = "";
    state.throttled = "";
    CHECK_FALSE(news.due(state, start + 30s));  // the lines that come anyway tell it
    state.waiting = "trying again in 4 s: connection lost";
    CHECK(news.due(state, start + 31s));
}

namespace {

/// Until the milliseconds of the step are more than 0.
void let_time_count() {
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(2)) {
    }
}

/// What a listener wrote; read after run_ended(), which waits for its thread.
struct Shown {
    explicit Shown(ProgressStyle style)
        : listener(show_progress(
              style, false, [this](const std::string& piece) { text += piece; },
              [] { return std::size_t{100}; })) {
        listener->run_started("20260301120000 backfill", false);
    }

    std::string text;
    std::unique_ptr<Listener> listener;
};

}  // namespace

TEST_CASE("a log gets a line at once when the run is held back") {
    Shown shown(ProgressStyle::lines);
    shown.listener->step_started(1, "", 10'000, true);
    shown.listener->step_resumed(1, 5'000, 3);
    let_time_count();  // rows of before would make a rate
    shown.listener->waiting("paused by alice");
    shown.listener->run_ended();
    CHECK_THAT(shown.text,
               Catch::StartsWith("20260301120000 backfill: 5,000 of 10,000 rows (50 %), 3 batches, "
                                 "0 rows/s, ETA -, paused by alice\n"));
}

TEST_CASE("a log is told what a run waits for before its first step") {
    Shown shown(ProgressStyle::lines);
    shown.listener->waiting("a COMMIT in flight");
    shown.listener->run_ended();
    CHECK_THAT(shown.text, Catch::StartsWith("20260301120000 backfill: a COMMIT in flight\n"));
}

TEST_CASE("a machine is told of a run that goes on, and what holds it back") {
    Shown shown(ProgressStyle::json);
    shown.listener->step_started(1, "", 10'000, true);
    shown.listener->step_resumed(1, 5'000, 3);
    shown.listener->batch_done(1, "4", 500);
    shown.listener->throttled("at most 10 rows/s");
    shown.listener->run_ended();
    const std::string last = shown.text.substr(shown.text.rfind("{"));
    const auto json = nlohmann::json::parse(last);
    CHECK(json["rows"] == 5500);
    CHECK(json["batches"] == 4);
    CHECK(json["throttled"] == "at most 10 rows/s");
    CHECK(json["waiting"].is_null());
}

TEST_CASE("the next step begins with no rows done before") {
    Shown shown(ProgressStyle::json);
    shown.listener->step_started(1, "one", 10'000, true);
    shown.listener->step_resumed(1, 10'000, 3);
    shown.listener->step_started(2, "two", 10'000, true);
    shown.listener->batch_done(2, "1", 500);
    let_time_count();
    shown.listener->run_ended();
    const auto json = nlohmann::json::parse(shown.text.substr(shown.text.rfind("{")));
    CHECK(json["rows"] == 500);
    CHECK(json["batches"] == 1);
    CHECK(json["rate"] > 0);
}

TEST_CASE("hours are written out") {
    ProgressState state = half_way();
    state.done = 1;
    CHECK(progress_line(state).find("ETA 13:53:15") != std::string::npos);
}

TEST_CASE("tables align by what a terminal shows, and values cannot move its cursor") {
    CHECK(display_width("naïve") == 5);
    CHECK(display_width("e\u0301") == 1);
    CHECK(display_width("日本") == 4);
    CHECK(fit("abcdef", 4) == "abc…");
    CHECK(fit("日本語", 4) == "日…");
    CHECK(printable("a\nb\x1b[2J") == "a\\nb\\x1b[2J");
    Table table({"name", "rows"}, {Table::Align::left, Table::Align::right});
    table.add({"日本", "7"});
    table.add({"abcde", "1,234"});
    CHECK(table.text() == "name    rows\n日本       7\nabcde  1,234\n");
}
