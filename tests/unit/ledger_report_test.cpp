#include <string>

#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/process.hpp"
#include "record_fixture.hpp"
#include "report/diff.hpp"
#include "report/ledger_report.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

constexpr const char* other_ledger = "ffffffff-0000-4000-8000-000000000001";

/// The number of a process that has ended.
pid_t gone_process() {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    return child;
}

/// A run that went on after another ledger had begun it, with something to say of everything.
struct ReportedRun : RecordFixture {
    ReportedRun() {
        const auto journal = open_record(options);
        std::vector<CommittedBatch> committed;
        for (const char* path : {"1", "2", "3", "5"}) {
            committed.push_back({1, path, {{}, Key{Value::integer(2)}}, 2, "00ff", other_ledger});
        }
        journal->resume_run(taken(), {step()}, committed);
        const BatchCapture capture = names_filled(7, 8);
        for (const char* path : {"6", "7"}) {
            Batch record = batch(capture, path);
            record.record.witness = "may overcount: a savepoint was rolled back";
            record.record.collateral = {{"songs", 1, 2, 3, path[0] == '7'}};
            stage(*journal, record);
            prepare(*journal, "tx");
            settle(*journal, Outcome::committed);
        }
        journal->failure({1, "8", "42", "23505", "duplicate key"});
        journal->failure({1, "8", "43", "", "odd\nmessage"});
        journal->failure_resolved(1, "42");
        journal->event("retry", "batch 6 again after 40001");
        journal->finish({"failed", "it broke", {}});
    }

    std::string text() const {
        const LedgerReader ledger(options.ledger);
        return show_text(ledger, ledger.run("1"));
    }
    nlohmann::json json() const {
        const LedgerReader ledger(options.ledger);
        return nlohmann::json::parse(show_json(ledger, ledger.run("1")));
    }
};

}  // namespace

TEST_CASE_METHOD(ReportedRun, "a diff tells which rows are not here", "[report]") {
    const LedgerReader ledger(options.ledger);
    std::string diff;
    write_diff_text(ledger, ledger.run("1"), {}, {}, [&](std::string_view text) { diff += text; });
    CHECK_THAT(diff,
               Catch::Contains("the rows of 4 batches are in another ledger: see `datachange show 1`\n"));
    CHECK_THAT(diff, Catch::Contains("identifier  action   column"));
}

TEST_CASE_METHOD(ReportedRun, "show tells people what became of rows and batches that went another way",
                 "[report]") {
    const std::string shown = text();
    CHECK_THAT(shown, Catch::Contains("batches 1..3, 5 of step 1: evidence in ledger ffffffff\n"));
    CHECK_THAT(shown, Catch::Contains(
                          "batches 6..7 of step 1: witness may overcount: a savepoint was rolled back\n"));
    CHECK_THAT(shown, Catch::Contains(
                          "besides, in 2 batches of step 1: songs: 2 inserted, 4 updated, 6 deleted, emptied "
                          "as a whole\n"));
    CHECK_THAT(shown, Catch::Contains("2 rows could not be changed, 1 of them later\n"));
    CHECK_THAT(shown, Catch::Contains("23505") && Catch::Contains("odd\\nmessage"));
    CHECK_THAT(shown, Catch::Contains(" retry: batch 6 again after 40001\n"));
    CHECK_THAT(shown, Catch::Contains(" taken over: by bob on rack, process 4711, epoch 2\n"));
    CHECK_THAT(shown, Catch::Contains("process    4711 on rack since ") && Catch::Contains(", epoch 2\n"));
}

TEST_CASE_METHOD(ReportedRun, "show tells programs the same", "[report]") {
    const nlohmann::json shown = json();
    CHECK(shown["failures"].size() == 2);
    CHECK(shown["failures"][0]["identifier"] == "42");
    CHECK(shown["failures"][0]["resolved_at"].is_string());
    CHECK(shown["failures"][1]["resolved_at"].is_null());
    CHECK(shown["failures"][1]["sqlstate"].is_null());
    CHECK(shown["collateral"][0]["truncated"] == false);
    CHECK(shown["collateral"][1]["truncated"] == true);
    CHECK(shown["elsewhere"].size() == 4);
    CHECK(shown["elsewhere"][3]["batch"] == "5");
    CHECK(shown["elsewhere"][3]["lower_key"].is_null());
    CHECK(shown["elsewhere"][3]["upper_key"] == nlohmann::json::array({2}));
    CHECK(shown["elsewhere"][3]["rows_changed"] == 2);
    CHECK(shown["elsewhere"][3]["ledger"] == other_ledger);
    CHECK(shown["batches"][0]["witness"] == "may overcount: a savepoint was rolled back");
    CHECK(shown["epoch"] == 2);
    CHECK(shown["process"] == 4711);
    CHECK(shown["process_host"] == "rack");
}

TEST_CASE_METHOD(ReportedRun, "show tells which batches the target has lost", "[report]") {
    {
        const auto journal = open_record(options);
        journal->resume_run(taken(3), {step()}, {});
    }
    CHECK_THAT(text(),
               Catch::Contains("batches 6..7 of step 1: lost: committed, and not in the target's journal any "
                               "more\n"));
    CHECK(json()["batches"][1]["state"] == "lost");
}

TEST_CASE("a run whose process on this host is gone is shown as stalled", "[report]") {
    const std::string state = GENERATE("processing", "paused");
    LedgerRun run;
    run.run = 7;
    run.state = state;
    run.process = gone_process();
    run.process_host = host_name();
    run.owned_since = utc_now();
    CHECK(shown_state(run) == "stalled");
    CHECK_THAT(runs_text({run}), Catch::Contains("stalled"));
    CHECK(nlohmann::json::parse(runs_json({run}))[0]["state"] == "stalled");

    SECTION("but not one that has ended") {
        run.state = "failed";
        CHECK(shown_state(run) == "failed");
    }
    SECTION("nor one of another host") {
        run.process_host += "-2";
        CHECK(shown_state(run) == state);
    }
    SECTION("nor one that is at work") {
        run.process = ::getpid();
        CHECK(shown_state(run) == state);
    }
    SECTION("nor one of which nothing is known") {
        run.process = 0;
        CHECK(shown_state(run) == state);
    }
}

TEST_CASE_METHOD(RecordFixture, "show says how a stalled run goes on", "[report]") {
    RunHeader mine = header();
    mine.host = host_name();
    mine.process = gone_process();
    open_record(options)->begin_run(mine);
    const LedgerReader ledger(options.ledger);
    const std::string shown = show_text(ledger, ledger.run("1"));
    CHECK_THAT(shown, Catch::Contains(") stalled\n") && Catch::Contains("`datachange resume 1` goes on"));
}

TEST_CASE_METHOD(ReportedRun, "what is told of runs takes no look at their rows", "[ledger]") {
    SQLite::Database(options.ledger, SQLite::OPEN_READWRITE)
        .exec("DROP VIEW changes; DROP VIEW change; DROP TABLE block");
    const LedgerReader ledger(options.ledger);
    CHECK(ledger.runs().size() == 1);
    CHECK_THAT(show_text(ledger, ledger.run("1")), Catch::Contains("backfill_names"));
    CHECK_THAT(show_json(ledger, ledger.run("1")), Catch::Contains("backfill_names"));
}
