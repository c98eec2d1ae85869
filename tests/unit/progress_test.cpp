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
