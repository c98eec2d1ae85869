#include <algorithm>
#include <map>
#include <random>
#include <thread>

#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

/// All files of a run's folder, by name.
std::map<std::string, std::string> files_of(const std::string& folder) {
    std::map<std::string, std::string> files;
    for (const std::string& name : file_names(folder)) files[name] = read_file(folder + "/" + name);
    return files;
}

/// Records batches as workers do.
struct LiveRun : RecordFixture {
    std::unique_ptr<Journal> journal = open_record(options);
    std::vector<CommittedBatch> committed;

    LiveRun() {
        journal->begin_run(header());
        journal->begin_step(step());
    }

    void commit_batch(const BatchCapture& capture, const std::string& path) {
        auto evidence = journal->open_batch(1, path, {});
        evidence->add(capture);
        BatchRecord record;
        record.started_at = "2026-03-01T12:00:01.000Z";
        const CommittedBatch batch{
            1, path, {}, capture.counts.changed(), evidence->close(record), journal->ledger_uuid()};
        std::vector<std::unique_ptr<BatchEvidence>> batches;
        batches.push_back(std::move(evidence));
        journal->prepare(std::move(batches), "tx");
        journal->settle(Outcome::committed, {batch});
        committed.push_back(batch);
    }

    /// The files as they come from the ledger, by a process that goes on with the run and finds nothing to
    /// do.
    std::map<std::string, std::string> from_ledger() {
        journal = open_record(options);
        journal->resume_run(taken(), {step()}, committed);
        journal->finish({"done", "", {}});
        return files_of(journal->csv_directory());
    }
    std::map<std::string, std::string> live() {
        journal->finish({"stopped", "", {}, true});
        return files_of(journal->csv_directory());
    }
};

}  // namespace

TEST_CASE_METHOD(LiveRun, "files that are rendered behind the run are those of the ledger, byte for byte",
                 "[csv]") {
    constexpr int batches = 12, rows = 700;
    std::vector<int> order;
    for (int i = 1; i <= batches; ++i) {
        journal->handed_out(1, std::to_string(i));
        order.push_back(i);
    }
    SECTION("in order") {
    }
    SECTION("whatever the order in which they commit") {
        std::shuffle(order.begin(), order.end(), std::mt19937(7));
    }
    for (const int i : order) {
        if (i == 5) {  // it was halved, and one row of it cannot be changed
            commit_batch(names_filled(4 * rows + 1, 4 * rows + 10), "5.1");
            commit_batch(names_filled(4 * rows + 12, 5 * rows), "5.2.2");
        } else {
            commit_batch(names_filled((i - 1) * rows + 1, i * rows), std::to_string(i));
        }
        journal->done_with(1, std::to_string(i));
    }
    const auto files = live();
    CHECK(files.size() == 4);
    CHECK(std::count(files.at("diff.csv").begin(), files.at("diff.csv").end(), '\n') == batches * rows);
    CHECK(files == from_ledger());
}

TEST_CASE_METHOD(LiveRun, "batches that are open when the run stops are in no file, those behind them are",
                 "[csv]") {
    for (const char* path : {"1", "2", "3"}) journal->handed_out(1, path);
    commit_batch(names_filled(5, 6), "3");
    journal->done_with(1, "3");
    commit_batch(names_filled(1, 2), "1");
    const auto files = live();
    CHECK(files.at("post.csv") == "id,name\r\n1,n1\r\n2,n2\r\n5,n5\r\n6,n6\r\n");
    CHECK(files == from_ledger());
}

TEST_CASE_METHOD(LiveRun, "batches that come out of order are in order in the files", "[csv]") {
    for (const char* path : {"2", "1"}) {
        journal->handed_out(1, path);
        commit_batch(names_filled(path[0], path[0]), path);
        journal->done_with(1, path);
    }
    const auto files = live();
    CHECK(files.at("post.csv") == "id,name\r\n49,n49\r\n50,n50\r\n");
    CHECK(files == from_ledger());
}

TEST_CASE_METHOD(LiveRun, "a step's files are complete before the run ends, unless a batch comes after all",
                 "[csv]") {
    for (const char* path : {"1", "2"}) journal->handed_out(1, path);
    commit_batch(names_filled(1, 2), "1");
    journal->done_with(1, "1");
    SECTION("in order") {
        commit_batch(names_filled(3, 4), "2");
        journal->done_with(1, "2");
        journal->step_done(1);
    }
    SECTION("behind its end") {
        journal->step_done(1);
        commit_batch(names_filled(3, 4), "2");
        journal->done_with(1, "2");
    }
    const auto files = live();
    CHECK(files.at("post.csv") == "id,name\r\n1,n1\r\n2,n2\r\n3,n3\r\n4,n4\r\n");
    CHECK(files == from_ledger());
}

TEST_CASE_METHOD(LiveRun, "several workers' batches are durable before they are told so", "[ledger]") {
    constexpr int workers = 4, each = 25;
    for (int i = 1; i <= workers * each; ++i) journal->handed_out(1, std::to_string(i));
    std::mutex mutex;
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < workers; ++worker) {
        threads.emplace_back([&, worker] {
            for (int i = worker * each + 1; i <= (worker + 1) * each; ++i) {
                const BatchCapture capture = names_filled(i, i);
                const std::string path = std::to_string(i);
                auto evidence = journal->open_batch(1, path, {});
                evidence->add(capture);
                const std::string leaf = evidence->close({});
                std::vector<std::unique_ptr<BatchEvidence>> batches;
                batches.push_back(std::move(evidence));
                journal->prepare(std::move(batches), "tx");
                {
                    const std::lock_guard lock(mutex);
                    CHECK(ask("SELECT leaf FROM batch WHERE batch = '" + path + "' AND state = 'prepared'") ==
                          Lines{leaf});
                }
                journal->settle(Outcome::committed, {{1, path, {}, 1, leaf, ""}});
                journal->done_with(1, path);
            }
        });
    }
    threads.clear();
    const auto csv = journal->finish({"done", "", {}});
    CHECK(ask_one("SELECT count(*) FROM changes") == "100");
    const std::string post = read_file(csv[0].post);
    CHECK(std::count(post.begin(), post.end(), '\n') == workers * each + 1);
    CHECK(post.find("99,n99\r\n100,n100\r\n") != std::string::npos);
}

TEST_CASE_METHOD(LiveRun, "a batch that the ledger refuses does not fail those of other workers",
                 "[ledger]") {
    journal->handed_out(1, "1");
    commit_batch(names_filled(1, 1), "1");
    std::mutex mutex;
    int refused = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            const BatchCapture capture = names_filled(10 + i, 10 + i);
            auto evidence = journal->open_batch(1, i % 2 == 0 ? "1" : std::to_string(i + 10), {});
            evidence->add(capture);
            evidence->close({});
            std::vector<std::unique_ptr<BatchEvidence>> batches;
            batches.push_back(std::move(evidence));
            try {
                journal->prepare(std::move(batches), "tx");
            } catch (const Error&) {
                const std::lock_guard lock(mutex);
                ++refused;
            }
        });
    }
    threads.clear();
    CHECK(refused == 4);
    CHECK(ask_one("SELECT count(*) FROM batch WHERE state = 'prepared'") == "4");
    CHECK(ask_one("SELECT count(*) FROM change") == "5");
}

TEST_CASE_METHOD(LiveRun, "a batch too large for memory goes to the ledger in pieces", "[ledger]") {
    const std::string filler(2000, 'x');
    const auto piece = [&](int from) {
        RowSet pre({{"id", "integer", "", ""}, {"text", "text", "", ""}}), post(pre.columns());
        for (int id = from; id < from + 1000; ++id) {
            pre.add(Value::integer(id).view());
            pre.add(ValueKind::text, filler);
            post.add(Value::integer(id).view());
            post.add(ValueKind::text, "");
        }
        return updates(std::move(pre), std::move(post));
    };
    const auto fill = [&](const std::string& path) {
        auto evidence = journal->open_batch(1, path, {});
        for (int from = 0; from < 10'000; from += 1000) evidence->add(piece(from));
        return evidence;
    };
    journal->handed_out(1, "1");
    auto evidence = fill("1");
    CHECK(ask_one("SELECT state FROM batches") == "writing");
    CHECK(ask("SELECT 1 FROM changes").empty());

    SECTION("and is whole when it is prepared") {
        const std::string leaf = evidence->close({});
        std::vector<std::unique_ptr<BatchEvidence>> batches;
        batches.push_back(std::move(evidence));
        journal->prepare(std::move(batches), "tx");
        CHECK(ask_one("SELECT state, rows FROM batches") == "prepared|10000");
        journal->settle(Outcome::committed, {{1, "1", {}, 10'000, leaf, ""}});
        journal->done_with(1, "1");
        const auto csv = journal->finish({"done", "", {}});
        CHECK(ask_one("SELECT count(*) FROM changes") == "10000");
        const std::string post = read_file(csv[0].post);
        CHECK(std::count(post.begin(), post.end(), '\n') == 10'001);
        CHECK(read_file(csv[0].pre).size() > 20'000'000);
    }
    SECTION("and leaves nothing if it is given up") {
        evidence.reset();
        CHECK(ask_one("SELECT state FROM batches") == "rolled_back");
        CHECK(ask_one("SELECT count(*) FROM change") == "0");
        CHECK(journal->finish({"failed", "", {}})[0].post.empty());
    }
    SECTION("and leaves nothing if the process dies") {
        const Journal* const dead = journal.release();  // never ended
        journal = open_record(options);
        CHECK(journal->resume_run(taken(), {step()}, {}).found_rolled_back == 0);
        CHECK(ask_one("SELECT state FROM batches") == "rolled_back");
        CHECK(ask_one("SELECT count(*) FROM change") == "0");
        evidence.reset();  // what it would have taken back is gone already
        delete dead;
    }
}
