#include <string>

#include <unistd.h>

#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

constexpr const char* other_ledger = "ffffffff-0000-4000-8000-000000000001";

/// A run of three batches, of which the process died at some moment, and what the target's journal has of it.
struct StoppedRun : RecordFixture {
    std::unique_ptr<Journal> journal = open_record(options);
    std::vector<CommittedBatch> committed;
    const BatchCapture first = names_filled(1, 2), second = names_filled(3, 5), third = names_filled(6, 6);

    StoppedRun() {
        journal->begin_run(header());
        journal->begin_step(step());
    }

    /// @return the batch as the target's journal has it if it commits
    CommittedBatch prepare(const BatchCapture& capture, const std::string& path) {
        Batch record = batch(capture, path);
        record.range.upto = Key{Value::integer(9)};
        record.record.collateral = {{"songs", 1, 0, 2}};
        const std::string leaf = stage(*journal, record);
        RecordFixture::prepare(*journal, "tx" + path);
        return {1, path, record.range, capture.counts.changed(), leaf, journal->ledger_uuid()};
    }
    void commit_batch(const BatchCapture& capture, const std::string& path) {
        committed.push_back(prepare(capture, path));
        settle(*journal, Outcome::committed);
    }
    /// The process is gone, and another one goes on.
    PriorEvidence go_on(std::int64_t epoch = 2) {
        journal = open_record(options);
        return journal->resume_run(taken(epoch), {step()}, committed);
    }
    Lines states() const { return ask("SELECT batch, state FROM batches ORDER BY batch"); }
};

Lines lost_paths(const PriorEvidence& prior) {
    Lines paths;
    for (const CommittedBatch& batch : prior.lost) paths.push_back(batch.batch);
    return paths;
}

}  // namespace

TEST_CASE_METHOD(StoppedRun, "a batch that was prepared, and has committed, is found to be committed",
                 "[ledger]") {
    commit_batch(first, "1");
    committed.push_back(prepare(second, "2"));  // and then the process died in COMMIT
    const PriorEvidence prior = go_on();
    CHECK(prior.run == 1);
    CHECK(prior.known);
    CHECK(prior.mode == "single");
    CHECK(prior.found_committed == 1);
    CHECK(prior.found_rolled_back == 0);
    CHECK(prior.lost.empty());
    CHECK(prior.elsewhere.empty());
    REQUIRE(prior.steps.size() == 1);
    CHECK(prior.steps[0].step == 1);
    CHECK(prior.steps[0].batches == 2);
    CHECK(prior.steps[0].rows.updated == 5);
    REQUIRE(prior.collateral.size() == 1);
    CHECK(prior.collateral[0].inserted == 2);
    CHECK(prior.collateral[0].deleted == 4);
    CHECK(states() == Lines{"1|committed", "2|committed"});
    CHECK(ask_one("SELECT count(*) FROM changes") == "5");
}

TEST_CASE_METHOD(StoppedRun, "a batch that has committed without the ledger having heard of it is committed",
                 "[ledger]") {
    commit_batch(first, "1");
    CHECK(states() == Lines{"1|prepared"});  // it would have heard with the next batch
    CHECK(go_on().found_committed == 1);
    CHECK(states() == Lines{"1|committed"});
}

TEST_CASE_METHOD(StoppedRun, "a batch in doubt that the journal has not is dropped, and may be tried again",
                 "[ledger]") {
    commit_batch(first, "1");
    prepare(second, "2");
    if (GENERATE(false, true)) {
        settle(*journal, Outcome::in_doubt);
        CHECK(ask_one("SELECT state FROM batches WHERE batch = '2'") == "unknown");
    }
    const PriorEvidence prior = go_on();
    CHECK(prior.found_committed == 0);
    CHECK(prior.found_rolled_back == 1);
    CHECK(prior.steps[0].batches == 1);
    CHECK(prior.collateral[0].inserted == 1);
    CHECK(states() == Lines{"1|committed", "2|rolled_back"});
    CHECK(ask_one("SELECT count(*) FROM change") == "2");
    commit(*journal, second, "2");
    journal->finish({"done", "", {}});
    CHECK(states() == Lines{"1|committed", "2|committed"});
}

TEST_CASE_METHOD(StoppedRun, "a batch that the target has no more is lost, and its name is never used again",
                 "[ledger]") {
    commit_batch(first, "1");
    commit_batch(second, "2");
    commit(*journal, third, "3");
    committed.erase(committed.begin());
    committed.back().leaf = std::string(64, '0');  // under that name there is another batch now
    committed.back().ledger = other_ledger;
    journal->finish({"failed", "it broke", {}});
    const PriorEvidence prior = go_on();
    CHECK(lost_paths(prior) == Lines{"1", "2", "3"});
    CHECK(prior.lost[0].step == 1);
    CHECK(prior.lost[0].ledger == journal->ledger_uuid());
    REQUIRE(prior.elsewhere.size() == 1);
    CHECK(prior.elsewhere[0].batch == "2");
    CHECK(prior.steps[0].batches == 0);
    CHECK(prior.collateral.empty());
    CHECK(states() == Lines{"1|lost", "2|lost", "3|lost"});
    CHECK(ask("SELECT 1 FROM changes").empty());
    CHECK(ask_one("SELECT count(*) FROM change") == "6");
    CHECK(ask_one("SELECT count(*) FROM events WHERE kind = 'lost'") == "3");
    CHECK_THAT(error_of([&] { record(*journal, batch(first, "1")); }).what(),
               Catch::Contains("batch 1 of step 1"));
    discard();

    const PriorEvidence again = go_on(3);
    CHECK(lost_paths(again) == lost_paths(prior));
    CHECK(ask_one("SELECT count(*) FROM events WHERE kind = 'lost'") == "3");
}

TEST_CASE_METHOD(StoppedRun, "batches that another ledger has the evidence of are known as elsewhere",
                 "[ledger]") {
    commit_batch(first, "1");
    for (const char* path : {"10", "2"}) {
        committed.push_back(
            {1, path, {Key{Value::integer(2)}, Key{Value::text("b")}}, 7, "00ff", other_ledger});
    }
    for (const std::int64_t epoch : {2, 3}) {
        const PriorEvidence prior = go_on(epoch);
        REQUIRE(prior.elsewhere.size() == 2);
        CHECK(prior.elsewhere[0].batch == "2");
        CHECK(prior.elsewhere[1].batch == "10");
        CHECK(prior.elsewhere[1].rows == 7);
        CHECK(ask("SELECT run_id, step, batch, lower_key, upper_key, rows_changed, leaf, ledger_uuid FROM "
                  "elsewhere"
                  " ORDER BY batch") == Lines{std::string(R"(1|1|10|[2]|["b"]|7|00ff|)") + other_ledger,
                                              std::string(R"(1|1|2|[2]|["b"]|7|00ff|)") + other_ledger});
    }
}

TEST_CASE_METHOD(StoppedRun, "a batch that this ledger recorded and does not have is missed", "[ledger]") {
    committed.push_back({1, "1", {}, 2, "00ff", journal->ledger_uuid()});
    const PriorEvidence prior = go_on();
    REQUIRE(prior.elsewhere.size() == 1);
    CHECK(prior.elsewhere[0].ledger == journal->ledger_uuid());
    CHECK(ask_one("SELECT kind FROM events WHERE detail LIKE 'step 1 batch 1:%'") == "missing");
}

TEST_CASE_METHOD(RecordFixture, "a run that another ledger began is entered", "[ledger]") {
    const auto journal = open_record(options);
    const PriorEvidence prior =
        journal->resume_run(taken(5), {step()}, {{1, "1", {}, 2, "00ff", other_ledger}});
    CHECK(prior.run == 1);
    CHECK_FALSE(prior.known);
    CHECK(prior.mode.empty());
    CHECK(prior.elsewhere.size() == 1);
    CHECK(prior.summaries_before == Lines{""});
    CHECK(ask_one("SELECT uuid, state, epoch, process, process_host FROM runs") ==
          header().uuid + "|processing|5|4711|rack");
    CHECK(ask_one("SELECT kind FROM events") == "taken over");
    CHECK(ask_one("SELECT table_name FROM steps") == "users");
    commit(*journal, names_filled(3, 3), "2");
    const auto csv = journal->finish({"done", "", {}});
    CHECK(read_file(csv[0].post) == "id,name\r\n3,n3\r\n");
    CHECK(ask_one("SELECT rows_changed FROM elsewhere") == "2");
}

TEST_CASE_METHOD(StoppedRun, "a run that goes on says who has it, and keeps who began it", "[ledger]") {
    journal->summary(1, "before", set("n", {"[3]"}));
    commit_batch(first, "1");
    journal->finish({"failed", "it broke", {}});
    CHECK(ask_one("SELECT epoch, process, process_host, owned_since IS NOT NULL FROM runs") == "1|~|desk|1");
    const PriorEvidence prior = go_on();
    CHECK(prior.summaries_before == Lines{R"([{"n":3}])"});
    CHECK(
        ask_one("SELECT state, error, finished_at, operator, host, epoch, process, process_host FROM runs") ==
        "processing|~|~|ann|desk|2|4711|rack");
    CHECK(ask_one("SELECT kind, detail FROM events") == "resumed|by bob on rack, process 4711, epoch 2");
    journal->state("paused");
    CHECK(ask_one("SELECT state FROM runs") == "paused");
    journal->state("processing");
    CHECK(ask_one("SELECT state FROM runs") == "processing");
    commit(*journal, second, "2");
    journal->finish({"done", "", {}});
    CHECK(ask_one("SELECT state, error FROM runs") == "done|~");
    CHECK(ask("SELECT run_id, leaves FROM chain ORDER BY link") == Lines{"1|1", "1|2"});
    CHECK(ask_one("SELECT (SELECT root FROM chain WHERE link = 1) = previous FROM chain WHERE link = 2") ==
          "1");
}

TEST_CASE_METHOD(StoppedRun, "a run goes on with its own steps only", "[ledger]") {
    StepHeader other = step();
    other.identifier = {"uuid"};
    journal = open_record(options);
    for (const std::vector<StepHeader>& steps : {std::vector<StepHeader>{other}, {step(2)}, {}}) {
        const Error error = error_of([&] { journal->resume_run(taken(), steps, {}); });
        CHECK(error.code() == ExitCode::mismatch);
        CHECK_THAT(error.what(), Catch::Contains("of run 1"));
        CHECK(ask_one("SELECT epoch FROM runs") == "1");
        CHECK(ask("SELECT 1 FROM events").empty());
    }
    // one that stopped before it had said all of them
    journal->resume_run(taken(), {step(), step(2, "songs")}, {});
    CHECK(ask("SELECT step, table_name FROM steps") == Lines{"1|users", "2|songs"});
}

TEST_CASE_METHOD(StoppedRun, "a process whose run was taken over writes nothing more", "[ledger]") {
    commit_batch(first, "1");
    const CommittedBatch open = prepare(second, "2");
    const std::unique_ptr<Journal> zombie = std::move(journal);
    go_on();
    discard();
    commit(*journal, third, "3");
    const auto refused = [&](auto&& work) {
        const Error error = error_of(work);
        CHECK(error.code() == ExitCode::pending);
        CHECK_THAT(error.what(), Catch::Contains("taken over by process 4711 on rack"));
        discard();
    };
    const auto everything = [&] {
        Lines all;
        for (const char* table : {"runs", "batch", "change", "events", "summaries", "failures", "collateral",
                                  "spool", "chain", "files"}) {
            for (const std::string& row : ask(std::string("SELECT * FROM ") + table)) all.push_back(row);
        }
        return all;
    };
    const Lines before = everything();
    refused([&] { zombie->settle(Outcome::rolled_back, {open}); });
    refused([&] { zombie->settle(Outcome::in_doubt, {open}); });
    refused([&] {
        stage(*zombie, batch(second, "4"));
        RecordFixture::prepare(*zombie);
    });
    refused([&] { zombie->event("note", "still here"); });
    refused([&] { zombie->summary(1, "after", set("n", {"[1]"})); });
    refused([&] { zombie->failure({1, "2", "3", "23505", "duplicate"}); });
    refused([&] { zombie->failure_resolved(1, "3"); });
    refused([&] { zombie->spool(1, set("id", {"[1]"})); });
    refused([&] { zombie->drop_spool(1); });
    refused([&] { zombie->state("paused"); });
    refused([&] { zombie->begin_step(step(2)); });
    refused([&] { zombie->finish({"failed", "too late", {}}); });
    CHECK(everything() == before);
    const auto csv = journal->finish({"done", "", {}});
    CHECK(read_file(csv[0].post) == "id,name\r\n1,n1\r\n2,n2\r\n6,n6\r\n");
    const Lines files = file_names(journal->csv_directory());
    refused([&] { zombie->finish({"failed", "too late", {}}); });
    CHECK(file_names(journal->csv_directory()) == files);
    CHECK_THAT(error_of([&] { open_record(options)->resume_run(taken(1), {step()}, {}); }).what(),
               Catch::Contains("taken over"));
}

TEST_CASE_METHOD(StoppedRun, "files of one whose run was taken over never replace those of who goes on",
                 "[csv]") {
    commit_batch(first, "1");
    // ended in the ledger, stopped before the files had their names, and taken over in between
    lose_csv_folder();
    CHECK_THROWS_AS(journal->finish({"stopped", "", {}, true}), Error);
    const std::unique_ptr<Journal> zombie = std::move(journal);
    go_on();
    commit(*journal, second, "2");
    const auto csv = journal->finish({"done", "", {}});
    const std::string post = read_file(csv[0].post);
    CHECK(error_of([&] { zombie->finish({"stopped", "", {}}); }).code() == ExitCode::pending);
    CHECK(read_file(csv[0].post) == post);
    CHECK(file_names(journal->csv_directory()) == Lines{"change.csv", "diff.csv", "post.csv", "pre.csv"});
    CHECK(ask_one("SELECT state, csv_directory IS NOT NULL FROM runs") == "done|1");
}

TEST_CASE_METHOD(StoppedRun, "the files of a run that went on are those of one that never stopped", "[csv]") {
    commit_batch(first, "1");
    commit_batch(third, "2.1");
    if (GENERATE(false, true)) journal->finish({"failed", "it broke", {}, true});
    go_on();
    lose_csv_folder();  // nor does the folder have to be there
    go_on(3);
    commit(*journal, second, "2");
    const auto resumed = journal->finish({"done", "", {}});

    RecordFixture undisturbed;
    const auto other = open_record(undisturbed.options);
    other->begin_run(header());
    other->begin_step(step());
    commit(*other, first, "1");
    commit(*other, second, "2");
    commit(*other, third, "2.1");
    const auto plain = other->finish({"done", "", {}});
    for (const auto file : {&CsvPaths::pre, &CsvPaths::change, &CsvPaths::post, &CsvPaths::diff}) {
        CHECK(read_file(resumed[0].*file) == read_file(plain[0].*file));
    }
    CHECK(file_names(journal->csv_directory()) == file_names(other->csv_directory()));
    CHECK(fs::path(resumed[0].pre).parent_path().filename() ==
          fs::path(plain[0].pre).parent_path().filename());
    CHECK(ask("SELECT name, bytes, sha256 FROM files") ==
          undisturbed.ask("SELECT name, bytes, sha256 FROM files"));
}

TEST_CASE_METHOD(StoppedRun, "files that could not be written are written when the run goes on", "[csv]") {
    commit_batch(first, "1");
    lose_csv_folder();
    const Error error = error_of([&] { journal->finish({"stopped", "", {}, true}); });
    CHECK_THAT(error.hint(), Catch::Contains("datachange resume 1"));
    CHECK(ask_one("SELECT state FROM runs") == "stopped");
    go_on();
    const auto csv = journal->finish({"done", "", {}});
    CHECK(read_file(csv[0].post) == "id,name\r\n1,n1\r\n2,n2\r\n");
    CHECK(ask_one("SELECT count(*) FROM files") == "4");
}

TEST_CASE_METHOD(StoppedRun, "columns that the first batches told still hold when the run goes on",
                 "[ledger]") {
    commit_batch(first, "1");
    go_on();
    const BatchCapture other = updates(set("id,nom", {"[3,1]"}), set("id,nom", {"[3,2]"}));
    CHECK_THAT(error_of([&] { record(*journal, batch(other, "2")); }).what(),
               Catch::Contains("id, nom instead of id, name"));
    discard();
    commit(*journal, second, "2");
}

TEST_CASE_METHOD(StoppedRun, "what is spooled is kept for a run that can go on, and continued", "[ledger]") {
    const RowSet rows = set("id", {"[1]", "[2]", "[3]"});
    journal->spool(1, rows);
    CHECK(journal->spool_size(1) == 3);
    CHECK(journal->spool_size(2) == 0);
    journal->finish({"stopped", "", {}, true});
    go_on();
    CHECK(journal->spool_size(1) == 3);
    journal->spool(1, set("id", {"[4]"}));
    CHECK(journal->spool_size(1) == 4);
    CHECK(journal->spooled(1, 2, 5).text(1, 0) == "4");
    journal->spool(2, rows);
    journal->drop_spool(1);
    CHECK(journal->spool_size(1) == 0);
    CHECK(journal->spool_size(2) == 3);
    journal->spool(1, set("other,columns", {"[1,2]"}));
    CHECK(journal->spooled(1, 0, 9).width() == 2);
    journal->finish({"done", "", {}});
    CHECK(ask_one("SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM spool_columns)") == "0");
}

TEST_CASE_METHOD(StoppedRun, "rows that could not be changed are noted once, until they are", "[ledger]") {
    journal->failure({1, "7.1", "42", "23505", "duplicate key"});
    journal->failure({1, "7.2", "43", "22003", "out of range"});
    journal->failure({1, "8", "", "57014", "cancelled"});
    journal->failure({1, "8", "", "57014", "cancelled again"});
    go_on();
    REQUIRE(journal->failures().size() == 4);
    CHECK(journal->failures()[0].identifier == "42");
    CHECK(journal->failures()[2].message == "cancelled");
    journal->failure_resolved(1, "43");
    journal->failure_resolved(2, "42");  // another row
    CHECK(journal->failures().size() == 3);
    CHECK(ask_one("SELECT resolved_at IS NOT NULL FROM failures WHERE identifier = '43'") == "1");
    journal->failure({1, "9", "43", "23514", "check violated"});
    CHECK(ask_one("SELECT batch, sqlstate, message, resolved_at FROM failures WHERE identifier = '43'") ==
          "9|23514|check violated|~");
    CHECK(journal->failures().size() == 4);
    CHECK(ask_one("SELECT count(*) FROM failures") == "4");
}

TEST_CASE_METHOD(RecordFixture, "a dry run does not go on, and keeps its failures to itself", "[ledger]") {
    const auto journal = open_rehearsal_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    journal->failure({1, "1", "42", "23505", "duplicate key"});
    CHECK(journal->failures().size() == 1);
    journal->spool(1, set("id", {"[1]"}));
    CHECK(journal->spool_size(1) == 1);
    CHECK(journal->ledger_uuid() == ask_one("SELECT value FROM meta WHERE name = 'uuid'"));
    CHECK_THROWS_AS(journal->resume_run(taken(), {step()}, {}), std::logic_error);
    journal->finish({"done", "", {}});
    CHECK(ask("SELECT 1 FROM failures").empty());
}

TEST_CASE_METHOD(RecordFixture,
                 "what the witness said of a batch, and tables emptied as a whole, are on record",
                 "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    const BatchCapture capture = names_filled(1, 1);
    Batch record = batch(capture);
    record.record.witness = "unavailable: track_counts is off";
    record.record.collateral = {{"songs", 0, 0, 0, true}};
    stage(*journal, record);
    prepare(*journal, "tx");
    settle(*journal, Outcome::committed);
    journal->finish({"done", "", {}});
    const LedgerReader reader(options.ledger);
    CHECK(reader.batches(1).at(0).witness == "unavailable: track_counts is off");
    CHECK(reader.collateral(1).at(0).rows.truncated);
}
