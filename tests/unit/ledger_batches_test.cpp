#include <csignal>
#include <string>

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/hash.hpp"
#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

/// The ledger's hashes by the description in src/record/ledger/README.md, written anew.
class Recount {
public:
    explicit Recount(const std::string& ledger) : m_database(ledger, SQLite::OPEN_READONLY) {
        m_database.createFunction("sha256", 1, true, nullptr, &sha256_of, nullptr, nullptr, nullptr);
    }

    std::string leaf(const std::string& uuid, const std::string& batch) {
        std::string text = field("datachange leaf 2") + field(uuid);
        text += fields("SELECT step, batch, lower_key, upper_key FROM batch WHERE id = " + batch);
        text += fields(
            "SELECT identifiers, actions, before, after, returned, new_identifiers FROM block WHERE batch_id "
            "= " +
            batch + " ORDER BY id");
        text += fields(
            "SELECT rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing, "
            "unexpected FROM batch WHERE id = " +
            batch);
        return sha256(text);
    }

    /// Of the newest link of a run that has ended.
    std::string root(const std::string& previous, const std::string& run) {
        const std::string of_run = " WHERE run_id = " + run;
        std::string text = fields(
            "SELECT 'runs', uuid, version, name, sha256(definition), definition_sha256, definition_path, "
            "engine,"
            " target, operator, host, ticket, author, mode, state, dry_run, rows_changed, rows_pre,"
            " rows_returned, rows_post, updated, inserted, deleted, unchanged, missing, unexpected, "
            "started_at,"
            " finished_at, sha256(error), tool_version, server_version, epoch, process, process_host,"
            " owned_since, reverses, git_commit, redaction_key FROM runs" +
            of_run);
        text += fields(
            "SELECT 'steps', step, name, table_name, identifier, identifier_columns, watch_of, evidence,"
            " before_columns, before_types, returned_columns, returned_types, after_columns, after_types,"
            " redacted FROM steps" +
            of_run + " ORDER BY step");
        text += fields("SELECT 'summaries', step, moment, sha256(result) FROM summaries" + of_run +
                       " ORDER BY step, moment DESC");
        text += fields(
            "SELECT 'failures', step, batch, sha256(identifier), sqlstate, sha256(message), at, resolved_at"
            " FROM failures" +
            of_run + " ORDER BY rowid");
        text += fields(
            "SELECT 'collateral', step, batch, table_name, inserted, updated, deleted, truncated FROM "
            "collateral" +
            of_run + " ORDER BY step, batch, table_name");
        text += fields(
            "SELECT 'elsewhere', step, batch, sha256(lower_key), sha256(upper_key), rows_changed, leaf,"
            " ledger_uuid FROM elsewhere" +
            of_run + " ORDER BY step, batch");
        for (const char* batch : {"2", "2.1", "10"}) {
            text += fields(
                "SELECT 'batches', step, batch, state, leaf, leaf_format, rows, attempts, started_at,"
                " duration_ms, transaction_id, rows_pre, rows_returned, rows_post, updated, inserted, "
                "deleted,"
                " unchanged, missing, unexpected, witness FROM batch" +
                of_run + " AND batch = '" + batch + "'");
        }
        return sha256(field("datachange root 3") + fields("SELECT value FROM meta WHERE name = 'uuid'") +
                      fields("SELECT link, at, leaves, epoch FROM chain" + of_run) + field(previous) +
                      field(sha256(text)));
    }

    static std::string field(const std::string& value) {
        return std::to_string(value.size()) + ":" + value + ",";
    }

private:
    static void sha256_of(sqlite3_context* context, int, sqlite3_value** values) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
        if (text == nullptr) return sqlite3_result_null(context);
        sqlite3_result_text(context, sha256(text).c_str(), -1, SQLITE_TRANSIENT);
    }

    std::string fields(const std::string& sql) {
        SQLite::Statement query(m_database, sql);
        std::string text;
        while (query.executeStep()) {
            for (int i = 0; i < query.getColumnCount(); ++i) {
                text += query.getColumn(i).isNull() ? "-," : field(query.getColumn(i).getString());
            }
        }
        return text;
    }

    SQLite::Database m_database;
};

/// Lets no file grow beyond a size, as if the disk were full.
class SmallFiles {
public:
    explicit SmallFiles(rlim_t bytes) {
        m_signal = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &m_before);
        rlimit limit = m_before;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SmallFiles() {
        ::setrlimit(RLIMIT_FSIZE, &m_before);
        std::signal(SIGXFSZ, m_signal);
    }
    SmallFiles(const SmallFiles&) = delete;
    SmallFiles& operator=(const SmallFiles&) = delete;

private:
    rlimit m_before{};
    void (*m_signal)(int) = nullptr;
};

}  // namespace

TEST_CASE_METHOD(RecordFixture, "a batch is prepared before the target commits, committed with the next one",
                 "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    const BatchCapture first = names_filled(1, 2), second = names_filled(3, 3);
    Batch record = batch(first);
    record.range = {std::nullopt, Key{Value::integer(2), Value::text("b")}};
    record.record.attempts = 3;
    stage(*journal, record);
    CHECK(ask("SELECT 1 FROM batches").empty());
    prepare(*journal, "4711");
    CHECK(ask_one("SELECT state, transaction_id, lower_key, upper_key, attempts FROM batches") ==
          R"(prepared|4711|~|[2,"b"]|3)");
    CHECK(ask("SELECT 1 FROM changes").empty());

    settle(*journal, Outcome::committed);
    CHECK(ask_one("SELECT state FROM batches") == "prepared");
    stage(*journal, batch(second, "2"));
    prepare(*journal, "4712");
    CHECK(ask("SELECT batch, state FROM batches ORDER BY batch") == Lines{"1|committed", "2|prepared"});
    CHECK(ask("SELECT identifier FROM changes ORDER BY change_id") == Lines{"1", "2"});

    settle(*journal, Outcome::committed);
    journal->finish({"done", "", {}});
    CHECK(ask("SELECT identifier FROM changes ORDER BY change_id") == Lines{"1", "2", "3"});
}

TEST_CASE_METHOD(RecordFixture, "a batch that was rolled back leaves its number and no row", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    commit(*journal, names_filled(1, 2), "1");
    const BatchCapture capture = names_filled(3, 5);
    Batch with_collateral = batch(capture, "2");
    with_collateral.record.collateral = {{"songs", 1, 0, 0}};
    stage(*journal, with_collateral);
    prepare(*journal, "tx");
    settle(*journal, Outcome::rolled_back);
    CHECK(ask_one("SELECT state, leaf, rows FROM batches WHERE batch = '2'") == "rolled_back|~|3");
    CHECK(ask("SELECT 1 FROM collateral").empty());
    CHECK(ask_one("SELECT count(*) FROM change") == "2");

    SECTION("and may be tried again") {
        commit(*journal, capture, "2");
        const auto csv = journal->finish({"done", "", {}});
        CHECK(read_file(csv[0].post) == "id,name\r\n1,n1\r\n2,n2\r\n3,n3\r\n4,n4\r\n5,n5\r\n");
        CHECK(ask("SELECT batch, state FROM batches ORDER BY batch") == Lines{"1|committed", "2|committed"});
    }
    SECTION("and is in no file") {
        const auto csv = journal->finish({"failed", "it broke", {}});
        CHECK(read_file(csv[0].post) == "id,name\r\n1,n1\r\n2,n2\r\n");
        CHECK(ask_one("SELECT state, error FROM runs") == "failed|it broke");
    }
}

TEST_CASE_METHOD(RecordFixture, "a batch in doubt is kept as unknown until it is decided", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    const BatchCapture capture = names_filled(1, 2);
    stage(*journal, batch(capture));
    prepare(*journal, "4711");
    settle(*journal, Outcome::in_doubt);
    CHECK(ask_one("SELECT state, rows, transaction_id FROM batches") == "unknown|2|4711");
    CHECK(ask("SELECT 1 FROM changes").empty());

    SECTION("as committed") {
        settle(*journal, Outcome::committed);
        CHECK(journal->finish({"done", "", {}})[0].post != "");
        CHECK(ask_one("SELECT count(*) FROM changes") == "2");
    }
    SECTION("as rolled back") {
        settle(*journal, Outcome::rolled_back);
        CHECK(journal->finish({"failed", "", {}})[0].post.empty());
        CHECK(ask_one("SELECT state FROM batches") == "rolled_back");
        CHECK(ask_one("SELECT count(*) FROM change") == "0");
    }
    SECTION("and is never recorded a second time") {
        const Error error = error_of([&] {
            stage(*journal, batch(capture));
            prepare(*journal);
        });
        CHECK(error.code() == ExitCode::unreachable);
        CHECK_THAT(error.what(), Catch::Contains("batch 1 of step 1"));
        discard();
        commit(*journal, names_filled(3, 3), "2");
        journal->finish({"failed", "", {}});
        CHECK(ask("SELECT batch, state FROM batches ORDER BY batch") == Lines{"1|unknown", "2|committed"});
        CHECK(ask("SELECT identifier FROM changes") == Lines{"3"});
    }
}

TEST_CASE_METHOD(RecordFixture, "what was staged and discarded was never there", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    const BatchCapture discarded = names_filled(1, 2);
    stage(*journal, batch(discarded));
    discard();
    CHECK(ask("SELECT 1 FROM batches").empty());
    CHECK(ask_one("SELECT before_columns FROM steps") == "~");
    commit(*journal, updates(set("id,other", {"[1,2]"}), set("id,other", {"[1,3]"})));
    const BatchCapture open = updates(set("id,other", {"[8,2]"}), set("id,other", {"[8,3]"}));
    stage(*journal, batch(open, "2"));
    const auto csv = journal->finish({"failed", "", {}});  // what is still open goes
    CHECK(read_file(csv[0].post) == "id,other\r\n1,3\r\n");
    CHECK(ask("SELECT batch, state FROM batches") == Lines{"1|committed"});
}

TEST_CASE_METHOD(RecordFixture, "a committed batch stays on record when the next one is discarded",
                 "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    commit(*journal, names_filled(1, 1), "1");
    const BatchCapture capture = names_filled(2, 2);
    stage(*journal, batch(capture, "2"));
    discard();
    journal->finish({"failed", "", {}});
    CHECK(ask("SELECT batch, state FROM batches") == Lines{"1|committed"});
}

TEST_CASE_METHOD(RecordFixture, "several batches are prepared in one transaction", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step(1, "users"));
    journal->begin_step(step(2, "songs"));
    const BatchCapture users = names_filled(1, 2), songs = names_filled(7, 7);
    stage(*journal, batch(users, "1", 1));
    journal->event("note", "between");
    stage(*journal, batch(songs, "1", 2));
    prepare(*journal, "tx");
    CHECK(ask("SELECT step, state FROM batches ORDER BY step") == Lines{"1|prepared", "2|prepared"});
    settle(*journal, Outcome::committed);
    journal->finish({"done", "", {}});
    CHECK(ask("SELECT step, identifier FROM changes ORDER BY change_id") == Lines{"1|1", "1|2", "2|7"});
    CHECK(ask_one("SELECT count(*) FROM events") == "1");
}

TEST_CASE_METHOD(RecordFixture, "what was prepared survives the death of the process", "[ledger]") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const auto journal = open_record(options);
        journal->begin_run(header());
        journal->begin_step(step());
        const BatchCapture first = names_filled(1, 2), second = names_filled(3, 4),
                           third = names_filled(5, 6);
        commit(*journal, first, "1");
        stage(*journal, batch(second, "2"));
        prepare(*journal, "tx");
        stage(*journal, batch(third, "3"));
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(status == 0);
    const LedgerReader reader(options.ledger);
    CHECK(reader.run("1").state == "processing");
    const auto batches = reader.batches(1);
    REQUIRE(batches.size() == 2);
    CHECK(batches[0].state == "committed");
    CHECK(batches[1].state == "prepared");
    CHECK(ask_one("SELECT count(*) FROM change") == "4");
}

TEST_CASE_METHOD(RecordFixture,
                 "a batch that the disk has no room for stops the run, and the ledger stays whole",
                 "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    commit(*journal, names_filled(1, 10), "1");
    const BatchCapture large = names_filled(11, 20'000);
    {
        const SmallFiles limit(200'000);
        const Error error = error_of([&] {
            stage(*journal, batch(large, "2"));
            prepare(*journal, "tx");
        });
        CHECK(error.code() == ExitCode::unreachable);
        CHECK_THAT(error.what(), Catch::Contains("the disk of the ledger " + options.ledger));
        CHECK_THAT(error.hint(), Catch::Contains("Nothing of the batch in hand was changed in the target") &&
                                     Catch::Contains("what is committed is kept") &&
                                     Catch::Contains("Make room on it") &&
                                     Catch::Contains("`datachange resume 1`"));
        discard();
    }
    const auto csv = journal->finish({"failed", "no room", {}});
    CHECK(ask("SELECT batch, state FROM batches") == Lines{"1|committed"});
    CHECK(ask_one("SELECT count(*) FROM change") == "10");
    CHECK(ask_one("PRAGMA integrity_check") == "ok");
    CHECK_FALSE(csv[0].post.empty());
}

TEST_CASE("the leaf of a batch depends on its rows and on nothing else", "[ledger]") {
    const auto leaf_of = [](RecordFixture::Batch record, const BatchCapture& capture) {
        RecordFixture fixture;
        const auto journal = open_record(fixture.options);
        journal->begin_run(RecordFixture::header());
        journal->begin_step(RecordFixture::step());
        record.capture = &capture;
        const std::string leaf = fixture.stage(*journal, record);
        fixture.discard();
        return leaf;
    };
    const BatchCapture capture = names_filled(1, 3);
    const RecordFixture::Batch record = RecordFixture::batch(capture);
    const std::string leaf = leaf_of(record, capture);
    CHECK(leaf.size() == 64);
    RecordFixture::Batch later = record;
    later.record.attempts = 9;
    later.record.duration_ms = 1'000;
    later.record.started_at = "2027-01-01T00:00:00.000Z";
    CHECK(leaf_of(later, capture) == leaf);

    RecordFixture::Batch elsewhere = record;
    elsewhere.range.after = Key{Value::integer(0)};
    CHECK(leaf_of(elsewhere, capture) != leaf);
    RecordFixture::Batch other_path = record;
    other_path.batch = "1.1";
    CHECK(leaf_of(other_path, capture) != leaf);
    CHECK(leaf_of(record, names_filled(1, 2)) != leaf);
    BatchCapture otherwise = capture;
    otherwise.rows[1].action = Action::unchanged;
    CHECK(leaf_of(record, otherwise) != leaf);
    // two values that only differ in where one ends and the next begins
    CHECK(leaf_of(record, updates(set("a,b", {R"(["1","23"])"}), set("a,b", {R"(["1","x"])"}))) !=
          leaf_of(record, updates(set("a,b", {R"(["12","3"])"}), set("a,b", {R"(["12","x"])"}))));
}

TEST_CASE_METHOD(RecordFixture, "leaves, roots and their chain can be recounted from the ledger",
                 "[ledger]") {
    std::vector<std::string> leaves;
    const auto one_run = [&](const std::string& uuid) {
        const auto journal = open_record(options);
        journal->begin_run(header(uuid));
        journal->begin_step(step());
        journal->summary(1, "before", set("n", {"[0]"}));
        journal->summary(1, "after", set("n", {"[2]"}));
        journal->failure({1, "3", "7", "23505", "duplicate"});
        journal->failure({1, "3", "", "", "no single row is to blame"});
        for (const char* path : {"10", "2", "2.1"}) {
            BatchCapture capture = names_filled(1, 2);
            capture.rows[1].new_identifier = "20";
            Batch record = batch(capture, path);
            record.range = {Key{Value::integer(0)}, Key{Value::integer(2)}};
            record.record.collateral = {{"songs", 1, 2, 3, true}};
            leaves.push_back(stage(*journal, record));
            prepare(*journal, "tx");
            settle(*journal, Outcome::committed);
        }
        journal->finish({"done", "", {}});
    };
    const std::string uuid = "aaaaaaaa-0000-4000-8000-000000000001",
                      other = "bbbbbbbb-0000-4000-8000-000000000001";
    one_run(uuid);
    one_run(other);
    Recount recount(options.ledger);
    CHECK(recount.leaf(uuid, "1") == leaves[0]);
    CHECK(recount.leaf(uuid, "2") == leaves[1]);
    CHECK(recount.leaf(other, "6") == leaves[5]);
    CHECK(ask("SELECT leaf FROM batch WHERE run_id = 1 ORDER BY id") ==
          Lines(leaves.begin(), leaves.begin() + 3));

    const std::string first = ask_one("SELECT root FROM chain WHERE link = 1");
    CHECK(recount.root("", "1") == first);
    CHECK(recount.root(first, "2") == ask_one("SELECT root FROM chain WHERE link = 2"));
    CHECK(ask_one("SELECT previous, leaves FROM chain WHERE link = 2") == first + "|3");
    CHECK(ask_one("SELECT root FROM runs WHERE run_id = 1") == first);
}
