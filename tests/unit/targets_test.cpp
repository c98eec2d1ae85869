#include <nlohmann/json.hpp>

#include "report/prometheus.hpp"
#include "report/table.hpp"
#include "report/target_outcome.hpp"
#include "report/targets_progress.hpp"
#include "report/version_matrix.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

TargetOutcome outcome(const std::string& target, const std::string& state, std::uint64_t rows = 0,
                      std::optional<ExitCode> code = std::nullopt) {
    TargetOutcome outcome;
    outcome.target = target;
    outcome.state = state;
    outcome.rows.updated = rows;
    if (code) outcome.error = Error(*code, "it is broken", "Mend it.");
    return outcome;
}

TargetVersions target(const std::string& name, const std::string& group, const std::string& state,
                      std::uint64_t rows = 0) {
    TargetVersions target;
    target.target = name;
    target.group = group;
    VersionState version;
    version.version = "20260101000000";
    version.name = "fill";
    version.path = "audits/20260101000000_fill.sql";
    version.state = state;
    version.rows_changed = rows;
    version.runs = 1;
    target.versions.push_back(version);
    return target;
}

std::vector<std::string> outliers(const std::vector<TargetVersions>& targets) {
    std::vector<std::string> names;
    for (const Outlier& outlier : find_outliers(targets, versions_across(targets).front()))
        names.push_back(targets[outlier.target].target);
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the exit status of several targets is the most serious one") {
    CHECK(exit_status_of({outcome("a", "done", 3), outcome("b", "skipped"), outcome("c", "excluded")}) == 0);
    CHECK(exit_status_of({outcome("a", "done"), outcome("b", "not begun")}) == 3);
    CHECK(exit_status_of({outcome("a", "failed", 0, ExitCode::unreachable),
                          outcome("b", "stopped", 0, ExitCode::pending)}) == 5);
    CHECK(exit_status_of({outcome("a", "failed", 0, ExitCode::unreachable),
                          outcome("b", "failed", 0, ExitCode::mismatch)}) == 4);
    CHECK(exit_status_of({outcome("a", "failed", 0, ExitCode::mismatch),
                          outcome("b", "failed", 0, ExitCode::partial)}) == 6);
    CHECK(exit_status_of(
              {outcome("a", "failed", 0, ExitCode::usage), outcome("b", "held", 0, ExitCode::pending)}) == 3);
    CHECK(exit_status_of({outcome("a", "failed", 0, ExitCode::usage)}) == 2);
}

TEST_CASE("failed and nothing was changed is said only where it holds for all of them") {
    CHECK(exit_status_of({outcome("a", "failed", 0, ExitCode::failed), outcome("b", "done", 0)}) == 1);
    CHECK(exit_status_of({outcome("a", "failed", 0, ExitCode::failed), outcome("b", "done", 1)}) == 6);
    CHECK(exit_status_of({outcome("a", "failed", 0, ExitCode::usage), outcome("b", "done", 1)}) == 6);
    CHECK(exit_status_of({outcome("a", "failed", 0, ExitCode::unreachable), outcome("b", "done", 1)}) == 5);
}

TEST_CASE("errors that read the same are told once") {
    const Error broken(ExitCode::failed, "it is broken", "Mend it.");
    CHECK(errors_text({{"a", broken}, {"b", Error(ExitCode::failed, "other")}, {"c", broken}}) ==
          "a, c: error: it is broken\nhint: Mend it.\nb: error: other\n");
}

TEST_CASE("shards are summed") {
    TargetOutcome first = outcome("orders.1", "done", 3);
    TargetOutcome second = outcome("orders.2", "failed", 0, ExitCode::failed);
    first.shard_of = second.shard_of = "orders";
    const auto json =
        nlohmann::json::parse(targets_json({outcome("a", "done", 1), first, second}, {"t", false, 5}));
    CHECK(json["shards"].size() == 1);
    CHECK(json["shards"][0]["rows_changed"] == 3);
    CHECK(json["totals"]["rows_changed"] == 4);
    CHECK(json["targets"][2]["error"] == "it is broken");
    CHECK(targets_text({first, second}, {"t", false, 5}).find("= orders         1 of 2 done     3") !=
          std::string::npos);
}

TEST_CASE("the line for all targets is never wider than the terminal") {
    TargetsState state;
    state.targets = 50;
    state.ended = 12;
    state.failed = 1;
    state.elapsed = std::chrono::seconds(72);
    for (int i = 0; i < 12; ++i) {
        ProgressState running;
        running.target = "target-" + std::to_string(i);
        running.total = 100;
        running.done = 45;
        running.batched = true;
        state.running.push_back(running);
    }
    for (std::size_t width = 1; width <= 300; ++width) {
        INFO(width);
        CHECK(display_width(targets_bar(state, width, false)) <= width);
    }
    CHECK(targets_bar(state, 100, false) ==
          "[#.......]  12 of 50 targets  1 failed  1:12  target-0 45 %  target-1 45 %  and 10 more");
    state.running.resize(1);
    state.running[0].waiting = "paused by alice";
    CHECK(targets_bar(state, 100, false) ==
          "[#.......]  12 of 50 targets  1 failed  1:12  target-0 45 % (held)");
}

TEST_CASE("a target that has ended is one line of a log") {
    const TargetsState state{50, 12, 1, {}, {}};
    CHECK(target_line(outcome("eu", "done", 1234), state) == "eu: done, 1,234 rows (12 of 50)\n");
    CHECK(target_line(outcome("eu", "failed", 0, ExitCode::failed), state) ==
          "eu: failed: it is broken (12 of 50)\n");
    CHECK(target_line(outcome("eu", "excluded"), state) == "eu: excluded (12 of 50)\n");
}

TEST_CASE("numbers that are ten times the median or a tenth of it are told") {
    CHECK(outliers({target("a", "", "done", 100), target("b", "", "done", 100),
                    target("c", "", "done", 1000)}) == Names{"c"});
    CHECK(outliers({target("a", "", "done", 100), target("b", "", "done", 100), target("c", "", "done", 999)})
              .empty());
    CHECK(outliers({target("a", "", "done", 100), target("b", "", "done", 100),
                    target("c", "", "done", 10)}) == Names{"c"});
    CHECK(outliers({target("a", "", "done", 100), target("b", "", "done", 100), target("c", "", "done", 11)})
              .empty());
    CHECK(outliers({target("a", "", "done", 2), target("b", "", "done", 2), target("c", "", "edited", 0)}) ==
          Names{"c"});
}

TEST_CASE("where the median is nothing, ten rows are many") {
    CHECK(outliers({target("a", "", "done", 0), target("b", "", "done", 0), target("c", "", "done", 9)})
              .empty());
    CHECK(outliers({target("a", "", "done", 0), target("b", "", "done", 0), target("c", "", "done", 10)}) ==
          Names{"c"});
}

TEST_CASE("fewer than three, and those that have not run, tell nothing") {
    CHECK(outliers({target("a", "", "done", 1), target("b", "", "done", 1000)}).empty());
    CHECK(outliers({target("a", "", "done", 1), target("b", "", "done", 1000), target("c", "", "failed", 1)})
              .empty());
}

TEST_CASE("three of a group are held against each other, fewer against all") {
    const std::vector<TargetVersions> targets{
        target("p1", "p", "done", 1000), target("p2", "p", "done", 1000), target("p3", "p", "done", 1000),
        target("s1", "s", "done", 1),    target("s2", "s", "done", 1),    target("s3", "s", "done", 1),
        target("x1", "x", "done", 1)};
    CHECK(outliers(targets).empty());  // the median of all is 1
    CHECK(outliers({targets[0], targets[1], targets[2], targets[3]}) == Names{"s1"});
}

TEST_CASE("a grid that is too wide becomes lines, none wider than the terminal") {
    std::vector<TargetVersions> targets;
    for (int i = 0; i < 50; ++i)
        targets.push_back(target("database-" + std::to_string(i), "", i % 3 == 0 ? "pending" : "done", 5));
    for (const std::size_t width : {std::size_t{40}, std::size_t{80}, std::size_t{160}}) {
        const std::string text = matrix_text(targets, width);
        std::size_t begin = 0;
        for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
            CHECK(display_width(text.substr(begin, end - begin)) <= width);
            begin = end + 1;
        }
        if (width > 40) CHECK(text.find("done on 33: 5 rows each, 165 in all") != std::string::npos);
    }
    CHECK(matrix_text(targets, 2000).find("database-49") < matrix_text(targets, 2000).find('\n'));
}

TEST_CASE("labels are escaped, and what is not known is left out") {
    TargetVersions odd = target("a\"b\\c\nd", "", "undo stalled");
    TargetVersions gone = target("gone", "g", "done");
    gone.versions.clear();
    gone.error = Error(ExitCode::unreachable, "no");
    const std::string text = prometheus_text({odd, gone});
    CHECK(text.find("datachange_target_up{target=\"a\\\"b\\\\c\\nd\",group=\"\"} 1\n") != std::string::npos);
    CHECK(text.find("group=\"\",state=\"undoing\"} 1\n") != std::string::npos);
    CHECK(text.find("datachange_target_up{target=\"gone\",group=\"g\"} 0\n") != std::string::npos);
    CHECK(text.find("datachange_rows_changed_total{target=\"gone\"") == std::string::npos);
    CHECK(text.find("last_success") == std::string::npos);
}
