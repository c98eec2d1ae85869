#include <string>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

/// Sets the umask for as long as it lives.
class Umask {
public:
    explicit Umask(mode_t mask) : m_before(::umask(mask)) {}
    ~Umask() { ::umask(m_before); }
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;

private:
    mode_t m_before;
};

/// Root may write anywhere: where tests run as root, this makes the process nobody for as long as it lives.
class Unprivileged {
public:
    Unprivileged() {
        if (m_user == 0 && ::seteuid(nobody) != 0) throw std::runtime_error("cannot become nobody");
    }
    ~Unprivileged() {
        if (m_user == 0 && ::seteuid(0) != 0) std::abort();
    }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

private:
    static constexpr uid_t nobody = 65534;
    uid_t m_user = ::geteuid();
};

/// What opening says; the file must stay as it was.
Error refused(const RecordOptions& options) {
    const std::string before = read_file(options.ledger);
    Error error = error_of([&] { open_record(options); });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK_FALSE(error.hint().empty());
    CHECK(read_file(options.ledger) == before);
    return error;
}

}  // namespace

TEST_CASE("ledger and CSVs are for their owner alone, whatever the umask", "[ledger]") {
    const mode_t mask = GENERATE(mode_t{0}, mode_t{0277});
    RecordFixture fixture;
    const Umask umask(mask);
    const auto journal = open_record(fixture.options);
    journal->begin_run(fixture.header());
    journal->begin_step(fixture.step());
    fixture.commit(*journal, names_filled(1, 1));
    CHECK(mode_of(fixture.options.ledger) == 0600);
    CHECK(mode_of(fixture.options.ledger + "-wal") == 0600);
    CHECK(mode_of(fixture.options.ledger + "-shm") == 0600);
    const auto csv = journal->finish({"done", "", {}});
    for (const std::string& file : {csv[0].pre, csv[0].change, csv[0].post, csv[0].diff})
        CHECK(mode_of(file) == 0600);
    for (fs::path path = fs::path(csv[0].pre).parent_path(); path != fixture.folder.path();
         path = path.parent_path()) {
        CHECK(mode_of(path) == 0700);
    }
}

TEST_CASE_METHOD(RecordFixture, "the write-ahead log is brought home at the end of a run", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    commit(*journal, names_filled(1, 1000));
    CHECK(fs::file_size(options.ledger + "-wal") > 0);
    journal->finish({"done", "", {}});
    CHECK(fs::file_size(options.ledger + "-wal") == 0);
}

TEST_CASE_METHOD(RecordFixture, "an empty file becomes a ledger, and a ledger is opened again", "[ledger]") {
    write_file(options.ledger, "");
    run(names_filled(1, 1));
    const std::string uuid = ask_one("SELECT value FROM meta WHERE name = 'uuid'");
    run(names_filled(2, 2), step(), header("aaaaaaaa-0000-4000-8000-000000000002"));
    CHECK(ask_one("SELECT value FROM meta WHERE name = 'uuid'") == uuid);
    CHECK(ask("SELECT run_id FROM runs") == Lines{"1", "2"});
}

TEST_CASE_METHOD(RecordFixture, "a file that is no ledger is refused and left as it is", "[ledger]") {
    SECTION("no SQLite file") {
        write_file(options.ledger, std::string(5000, 'x'));
        CHECK_THAT(refused(options).what(), Catch::Contains("is not a SQLite file"));
        CHECK_THROWS_AS(LedgerReader(options.ledger), Error);
    }
    SECTION("somebody else's tables") {
        SQLite::Database(options.ledger, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
            .exec("CREATE TABLE users(id)");
        CHECK_THAT(refused(options).what(), Catch::Contains("is a SQLite database, but no ledger"));
        CHECK_THROWS_AS(LedgerReader(options.ledger), Error);
    }
    SECTION("somebody else's mark") {
        SQLite::Database(options.ledger, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
            .exec("PRAGMA application_id = 7; PRAGMA user_version = 1");
        CHECK_THAT(refused(options).what(), Catch::Contains("is a SQLite database, but no ledger"));
    }
    SECTION("a folder") {
        fs::create_directory(options.ledger);
        const Error error = error_of([&] { open_record(options); });
        CHECK_THAT(error.what(), Catch::Contains("is a folder"));
    }
    SECTION("below a file") {
        write_file(folder.file("file"), "");
        options.ledger = folder.file("file/ledger.db");
        CHECK_THAT(error_of([&] { open_record(options); }).what(), Catch::Contains("Not a directory"));
    }
    SECTION("in a folder that is not there") {
        options.ledger = folder.file("nowhere/ledger.db");
        const Error error = error_of([&] { open_record(options); });
        CHECK_THAT(error.what(), Catch::Contains("No such file or directory"));
        CHECK_THAT(error.hint(), Catch::Contains("folder must be there"));
    }
}

TEST_CASE_METHOD(RecordFixture, "a ledger of a newer version is refused, never rewritten", "[ledger]") {
    open_record(options);
    SQLite::Database(options.ledger, SQLite::OPEN_READWRITE)
        .exec("PRAGMA user_version = 5; PRAGMA journal_mode = DELETE");
    const Error error = refused(options);
    CHECK_THAT(error.what(), Catch::Contains("schema version 5"));
    CHECK_THAT(error.hint(), Catch::Contains("newer datachange"));
    CHECK_THAT(error_of([&] { LedgerReader{options.ledger}; }).what(), Catch::Contains("schema version 5"));
    CHECK_THROWS_AS(open_rehearsal_record(options), Error);
}

TEST_CASE_METHOD(RecordFixture, "a ledger that another process has locked is reported as locked",
                 "[ledger]") {
    open_record(options);
    SQLite::Database other(options.ledger, SQLite::OPEN_READWRITE);
    const auto journal = open_record(options);
    other.exec("BEGIN IMMEDIATE");
    const Error error = error_of([&] { journal->begin_run(header()); });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK_THAT(error.what(), Catch::Contains("is locked by another process"));
    CHECK_FALSE(fs::exists(options.csv_dir));
    other.exec("ROLLBACK");
    CHECK(journal->begin_run(header()) == 1);
}

TEST_CASE_METHOD(RecordFixture, "several processes may make one ledger at once", "[ledger]") {
    options.ledger_lock_timeout_ms = 60'000;
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            try {
                run(names_filled(1, 5), step(),
                    header("aaaaaaa" + std::to_string(i) + "-0000-4000-8000-000000000001"));
                ::_exit(0);
            } catch (...) {
                ::_exit(1);
            }
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    CHECK(ask_one("SELECT count(*) FROM meta WHERE name = 'uuid'") == "1");
    CHECK(ask_one("SELECT count(*) FROM changes") == "20");
    CHECK(ask_one("SELECT count(*) FROM chain AS a LEFT JOIN chain AS b ON b.link = a.link - 1"
                  " WHERE a.previous = coalesce(b.root, '')") == "4");
}

TEST_CASE_METHOD(RecordFixture, "a ledger that cannot be written is refused before anything is changed",
                 "[ledger]") {
    open_record(options);
    fs::permissions(folder.path(), fs::perms(0755));
    SECTION("the file") {
        fs::permissions(options.ledger, fs::perms(0444));
        const Unprivileged nobody;
        const Error error = error_of([&] { open_record(options); });
        CHECK(error.code() == ExitCode::unreachable);
        CHECK_THAT(error.what(), Catch::Contains("is read-only") || Catch::Contains("cannot open"));
    }
    SECTION("the file may not even be read") {
        const Unprivileged nobody;
        CHECK_THAT(error_of([&] { open_record(options); }).what(), Catch::Contains("cannot open the ledger"));
        CHECK_THAT(error_of([&] { LedgerReader{options.ledger}; }).what(),
                   Catch::Contains("cannot open the ledger"));
    }
    SECTION("its folder, for a new one") {
        options.ledger = folder.file("new.db");
        fs::permissions(folder.path(), fs::perms(0555));
        const Unprivileged nobody;
        CHECK_THAT(error_of([&] { open_record(options); }).what(), Catch::Contains("Permission denied"));
    }
    SECTION("its folder, for the write-ahead log") {
        fs::permissions(options.ledger, fs::perms(0666));
        fs::permissions(folder.path(), fs::perms(0555));
        const Unprivileged nobody;
        CHECK(error_of([&] { open_record(options); }).code() == ExitCode::unreachable);
    }
    fs::permissions(folder.path(), fs::perms(0755));
}

TEST_CASE_METHOD(RecordFixture, "a dry run leaves files, and one line in the ledger", "[ledger]") {
    RunHeader dry = header();
    dry.dry_run = true;
    const auto journal = open_rehearsal_record(options);
    CHECK(journal->begin_run(dry) == 0);
    journal->begin_step(step());
    journal->summary(1, "before", set("n", {"[1]"}));
    journal->spool(1, set("id", {"[1]", "[2]"}));
    CHECK(journal->spooled(1, 1, 1).text(0, 0) == "2");
    const BatchCapture capture = names_filled(1, 2);
    CHECK(stage(*journal, batch(capture)).size() == 64);
    discard();
    stage(*journal, batch(capture));
    prepare(*journal, "tx");
    settle(*journal, Outcome::rolled_back);
    const auto csv = journal->finish({"done", "", capture.counts});

    const std::string place = options.csv_dir + "/20260301120000_backfill_names/dry-run-01234567";
    CHECK(journal->csv_directory() == place);
    CHECK(file_names(place) == Lines{"DRY-RUN.txt", "change.csv", "diff.csv", "post.csv", "pre.csv"});
    CHECK(read_file(csv[0].post) == "id,name\r\n1,n1\r\n2,n2\r\n");
    CHECK_THAT(read_file(place + "/DRY-RUN.txt"), Catch::Contains("nothing was changed"));
    CHECK(ask_one("SELECT dry_run, mode, state, rows_changed, updated, csv_directory, root FROM runs") ==
          "1|single|done|0|2|" + fs::absolute(place).string() + "|~");
    CHECK(ask_one("SELECT kind FROM events") == "dry-run");
    for (const char* table : {"steps", "batch", "change", "spool", "summaries", "files", "chain"}) {
        CHECK(ask_one(std::string("SELECT count(*) FROM ") + table) == "0");
    }
    const LedgerReader reader(options.ledger);
    CHECK(reader.runs().size() == 1);
    CHECK_FALSE(reader.last_run_of("20260301120000").has_value());
}

TEST_CASE_METHOD(RecordFixture, "a dry run that fails leaves no file", "[ledger]") {
    const auto journal = open_rehearsal_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    journal->finish({"failed", "no such column", {}});
    CHECK(journal->csv_directory().empty());
    CHECK(file_names(options.csv_dir + "/20260301120000_backfill_names").empty());
    CHECK(ask_one("SELECT dry_run, state, error, csv_directory FROM runs") == "1|failed|no such column|~");
}

TEST_CASE_METHOD(RecordFixture, "a reader never makes a ledger and never writes to one", "[ledger]") {
    const Error error = error_of([&] { LedgerReader{options.ledger}; });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK(error.what() == "no ledger at " + options.ledger);
    CHECK_FALSE(error.hint().empty());
    CHECK_FALSE(fs::exists(options.ledger));
    write_file(options.ledger, "");
    CHECK_THAT(error_of([&] { LedgerReader{options.ledger}; }).what(), Catch::Contains("is empty"));
}

TEST_CASE_METHOD(RecordFixture, "a reader sees a run while it goes on", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    const LedgerReader reader(options.ledger);
    CHECK(reader.run("1").state == "processing");
    journal->begin_step(step());
    commit(*journal, names_filled(1, 1));
    CHECK(reader.batches(1).size() == 1);
    CHECK(reader.steps(1)[0].returned[0][1].name == "name");
    CHECK(reader.steps(1)[0].before[0].type == "integer");
}

TEST_CASE_METHOD(RecordFixture, "a run is named by its number or the beginning of its UUID", "[ledger]") {
    for (const char* uuid : {"aaaaaaaa-0000-4000-8000-000000000001", "aaaabbbb-0000-4000-8000-000000000002",
                             "3cccdddd-0000-4000-8000-000000000003"}) {
        run(names_filled(1, 1), step(), header(uuid));
    }
    const LedgerReader reader(options.ledger);
    CHECK(reader.run("2").uuid == "aaaabbbb-0000-4000-8000-000000000002");
    CHECK(reader.run("AAAAB").run == 2);
    CHECK(reader.run("3cccdddd-0000-4000-8000-000000000003").run == 3);
    CHECK(reader.run("3").run == 3);
    const Error ambiguous = error_of([&] { reader.run("aaaa"); });
    CHECK(ambiguous.code() == ExitCode::usage);
    CHECK_THAT(ambiguous.what(), Catch::Contains("2 runs of the ledger begin with aaaa"));
    CHECK_THAT(ambiguous.hint(), Catch::Contains("aaaabbbb-0000"));
    for (const char* unknown : {"4", "b", "", "%", "99999999999999999999"}) {
        const Error error = error_of([&] { reader.run(unknown); });
        CHECK(error.code() == ExitCode::usage);
        CHECK_FALSE(error.hint().empty());
    }
    CHECK(reader.last_run_of("20260301120000")->run == 3);
    CHECK_FALSE(reader.last_run_of("20260301120001").has_value());
    CHECK(reader.runs().front().run == 3);
    CHECK(reader.runs("20260301120000", 2).size() == 2);
    CHECK(reader.runs("1").empty());
}

TEST_CASE_METHOD(RecordFixture, "history tells what happened to a row, oldest first, of one table or of all",
                 "[ledger]") {
    run(names_filled(1, 3), step(1, "app.\"Users\""));
    run(names_filled(2, 2), step(1, "songs"), header("aaaaaaaa-0000-4000-8000-000000000002"));
    run(updates(set("id,name", {R"([2,"n2"])"}), set("id,name", {R"([2,"two"])"})), step(1, "app.\"Users\""),
        header("aaaaaaaa-0000-4000-8000-000000000003"));
    const LedgerReader reader(options.ledger);
    const auto all = reader.history("", "2");
    REQUIRE(all.size() == 3);
    CHECK(all[0].run == 1);
    CHECK(all[1].table == "songs");
    CHECK(all[2].before == R"({"id":2,"name":"n2"})");
    CHECK(all[2].operator_name == "ann");
    CHECK(all[2].ticket == "OPS-1");
    for (const char* name : {"users", "app.users", "APP.\"Users\""}) {
        CAPTURE(name);
        CHECK(reader.history(name, "2").size() == 2);
    }
    CHECK(reader.history("public.songs", "2").size() == 1);
    CHECK(reader.history("sers", "2").empty());
    CHECK(reader.history("users", "4").empty());
}
