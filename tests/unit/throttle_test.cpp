#include "run/throttle.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <SQLiteCpp/Database.h>

#include "datachange/error.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace datachange;
using namespace std::chrono_literals;
using datachange::test::TempDir;

namespace {

/// A target that knows of a replica's lag, and of nothing else: no throttle but max_lag may ask it.
class LaggingTarget : public Target {
public:
    std::optional<double> lag;

    std::optional<double> replication_lag() override { return lag; }

    Engine engine() const override { refuse(); }
    std::string name() const override { refuse(); }
    std::string server_version() const override { refuse(); }
    void require_writable() override { refuse(); }
    void set_timeouts(const Timeouts&) override { refuse(); }
    void cancel() noexcept override {}
    bool lost() const override { refuse(); }
    void reconnect() override { refuse(); }
    std::vector<std::string> other_sessions(const std::string&) override { refuse(); }
    void begin(Isolation) override { refuse(); }
    CommitResult commit() override { refuse(); }
    void rollback() noexcept override {}
    std::string transaction_id() override { refuse(); }
    void settle() override { refuse(); }
    RowSet query(const SqlTemplate&, const Scope&) override { refuse(); }
    RowSet query(const std::string&, const std::vector<Value>&) override { refuse(); }
    void stream(const SqlTemplate&, std::size_t, const std::function<void(RowSet&&)>&) override { refuse(); }
    void stream_change(const SqlTemplate&, std::size_t, const std::function<void(RowSet&&)>&) override {
        refuse();
    }
    bool attempt(const std::function<bool()>&) override { refuse(); }
    std::vector<Column> describe(const SqlTemplate&, const Scope&) override { refuse(); }
    std::optional<std::vector<Column>> prepare(const SqlTemplate&, const Scope&) override { refuse(); }
    TableInfo table(const std::string&) override { refuse(); }
    bool has_table(const std::string&) override { refuse(); }
    TouchedTables touched() override { refuse(); }
    std::string lock_clause() const override { refuse(); }
    std::string journal_obstacle() override { refuse(); }
    void set_journal_schema(const std::string&) override { refuse(); }
    std::string journal_prefix() const override { refuse(); }
    void enforce_foreign_keys(bool) override { refuse(); }

private:
    [[noreturn]] static void refuse() { throw std::logic_error("the throttle asked for more than the lag"); }
};

/// A throttle with a clock that is set by hand.
struct Paced {
    explicit Paced(const ThrottleOptions& options) : throttle(options) {}

    /// Asks again after each wait, as the loop does, until the run may go on. @return the time that took.
    std::chrono::milliseconds until_free() {
        std::chrono::milliseconds waited{0};
        for (auto decision = decide(); decision.wait > 0ms; decision = decide()) {
            CHECK(decision.wait <= 1s);
            CHECK_FALSE(decision.reason.empty());
            now += decision.wait;
            waited += decision.wait;
        }
        return waited;
    }
    ThrottleDecision decide() { return throttle.decide(target, now); }
    void batch(std::uint64_t rows, Clock::duration duration) {
        now += duration;
        throttle.batch_done(rows, now);
    }

    LaggingTarget target;
    Throttle throttle;
    Clock::time_point now{1h};
};

ThrottleOptions at_most(std::uint64_t rows_per_second) {
    ThrottleOptions options;
    options.max_rows_per_second = rows_per_second;
    return options;
}

/// A throttle query against a file of its own with the table load (n).
class QueryFixture {
public:
    QueryFixture() {
        SQLite::Database(m_folder / "t.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
            .exec("CREATE TABLE load (n); INSERT INTO load VALUES (7)");
        m_target = open_sqlite(m_folder / "t.db");
    }

    ThrottleDecision decide(const std::string& query) {
        ThrottleOptions options;
        options.query = query;
        Throttle throttle(options);
        return throttle.decide(*m_target, Clock::time_point{});
    }
    std::string message(const std::string& query) {
        try {
            decide(query);
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::usage);
            CHECK(error.where() == "--throttle-query");
            CHECK(dynamic_cast<const DatabaseError*>(&error) == nullptr);
            return error.what();
        }
        FAIL("nothing was thrown");
        return "";
    }
    Target& target() { return *m_target; }
    std::string file() const { return m_folder / "t.db"; }

private:
    TempDir m_folder;
    std::unique_ptr<Target> m_target;
};

}  // namespace

TEST_CASE("without options the run goes on at once") {
    Paced run{ThrottleOptions{}};
    for (int batch = 0; batch < 3; ++batch) {
        const ThrottleDecision decision = run.decide();
        CHECK(decision.wait == 0ms);
        CHECK(decision.reason.empty());
        run.batch(1'000'000, 0ms);
    }
}

TEST_CASE("a run keeps to its rows a second, counted from the start of the batch") {
    Paced run{at_most(1'000)};
    CHECK(run.until_free() == 0ms);
    run.batch(2'500, 400ms);
    CHECK(run.decide().reason == "at most 1,000 rows/s");
    CHECK(run.decide().wait == 1s);
    CHECK(run.until_free() == 2'100ms);
    run.batch(500, 100ms);
    CHECK(run.until_free() == 400ms);
}

TEST_CASE("rows a second that divide badly are kept to as well, never exceeded") {
    Paced run{at_most(7)};
    run.until_free();
    const Clock::time_point start = run.now;
    for (int batch = 0; batch < 10; ++batch) {
        run.batch(1, 1ms);
        run.until_free();
    }
    CHECK(run.now - start > 1'428ms);
    CHECK(run.now - start < 1'440ms);  // 10 rows at 7 a second take 1.43 s
}

TEST_CASE("a batch that was slower than the rate is not followed by a wait") {
    Paced run{at_most(1'000)};
    run.until_free();
    run.batch(500, 10s);
    CHECK(run.until_free() == 0ms);
}

TEST_CASE("after a pause a run catches up with one second's rows at most") {
    Paced run{at_most(1'000)};
    run.until_free();
    run.batch(1'000, 100ms);
    run.now += 1h;
    CHECK(run.until_free() == 0ms);
    run.batch(1'000, 0ms);
    CHECK(run.until_free() == 0ms);  // the credit of one second
    run.batch(1'000, 0ms);
    CHECK(run.until_free() == 1s);
}

TEST_CASE("the rate can be changed while the run goes on, and given back") {
    Paced run{at_most(10)};
    run.until_free();
    run.batch(10'000, 1s);
    CHECK(run.decide().reason == "at most 10 rows/s");
    run.throttle.set_rate(2'000);  // what was owed at the old rate is forgotten
    CHECK(run.until_free() == 0ms);
    run.batch(1'000, 0ms);
    run.throttle.set_rate(2'000);  // asked for again: nothing changes
    CHECK(run.decide().reason == "at most 2,000 rows/s");
    CHECK(run.until_free() == 500ms);
    run.throttle.set_rate(0);
    run.batch(1'000'000, 0ms);
    CHECK(run.until_free() == 0ms);
    run.throttle.set_rate(std::nullopt);
    run.until_free();
    run.batch(5, 0ms);
    CHECK(run.decide().reason == "at most 10 rows/s");
    CHECK(run.until_free() == 500ms);
}

TEST_CASE("a run sleeps once after each batch, and not before the first") {
    ThrottleOptions options;
    options.sleep = 500ms;
    Paced run{options};
    CHECK(run.until_free() == 0ms);
    run.batch(10, 3s);
    CHECK(run.decide().reason == "sleep 0.5 s between batches");
    CHECK(run.until_free() == 500ms);
    CHECK(run.until_free() == 0ms);
    run.batch(10, 3s);
    CHECK(run.until_free() == 500ms);
    options.sleep = 3s;
    Paced long_sleep{options};
    long_sleep.batch(10, 0ms);
    CHECK(long_sleep.decide().wait == 1s);
    CHECK(long_sleep.until_free() == 3s);
}

TEST_CASE("a run waits while a replica lags too far behind") {
    ThrottleOptions options;
    options.max_lag = 5s;
    Paced run{options};
    CHECK(run.decide().wait == 0ms);  // no replica
    run.target.lag = 5.0;
    CHECK(run.decide().wait == 0ms);
    run.target.lag = 12.34;
    CHECK(run.decide().wait == 1s);
    CHECK(run.decide().reason == "replica lags 12.3 s (at most 5 s)");
    run.target.lag = 0.2;
    CHECK(run.decide().wait == 0ms);
}

TEST_CASE("a run waits as long as the flag file is there") {
    const TempDir folder;
    ThrottleOptions options;
    options.flag_file = folder / "hold";
    Paced run{options};
    CHECK(run.decide().wait == 0ms);
    std::ofstream{options.flag_file};
    CHECK(run.decide().wait == 1s);
    CHECK(run.decide().reason == "the file " + options.flag_file + " is there");
    std::filesystem::remove(options.flag_file);
    CHECK(run.decide().wait == 0ms);
}

TEST_CASE("a flag file that cannot be looked for holds the run back, and says why") {
    const TempDir folder;
    ThrottleOptions options;
    options.flag_file = folder / "loop";
    std::filesystem::create_symlink(options.flag_file, options.flag_file);
    Paced run{options};
    CHECK(run.decide().wait == 1s);
    CHECK_THAT(run.decide().reason, Catch::Contains("cannot be looked for: "));
}

TEST_CASE("a throttle query that returns more than 0 holds the run back") {
    QueryFixture fixture;
    CHECK(fixture.decide("SELECT n FROM load").reason == "the throttle query returns 7");
    CHECK(fixture.decide("SELECT n FROM load").wait == 1s);
    CHECK(fixture.decide("SELECT 0.5, 'more'; -- of the load\n").reason == "the throttle query returns 0.5");
    CHECK(fixture.decide("SELECT 1 UNION ALL SELECT 0 -- the first counts").wait == 1s);
    CHECK(fixture.decide("SELECT ' 3 ';").reason == "the throttle query returns 3");
    for (const char* free :
         {"SELECT 0", "SELECT -1", "SELECT NULL", "SELECT n FROM load WHERE n > 7",
          "SELECT 0 UNION ALL SELECT 1", "SELECT '0.0'", "WITH x AS (SELECT 0) SELECT * FROM x"}) {
        INFO(free);
        CHECK(fixture.decide(free).wait == 0ms);
        CHECK(fixture.decide(free).reason.empty());
    }
}

TEST_CASE("a throttle query that fails or gives no number ends the run with the database's message") {
    QueryFixture fixture;
    CHECK(fixture.message("SELECT n FROM nowhere") ==
          "the throttle query failed (SQLITE_ERROR): no such table: nowhere");
    CHECK(fixture.message("SELECT 'high'") == "the throttle query gives something that is no number");
    CHECK(fixture.message("SELECT '7 of 9'") == "the throttle query gives something that is no number");
    CHECK(fixture.message("SELECT 'nan'") == "the throttle query gives something that is no number");
    CHECK(fixture.message("SELECT x'37'") == "the throttle query gives something that is no number");
    CHECK_THAT(fixture.message("SELECT $1"), Catch::Contains("bind parameters of its own"));
    // and leaves no transaction behind
    CHECK_NOTHROW(fixture.target().begin(Isolation::repeatable_read));
    fixture.target().rollback();
}

TEST_CASE("a throttle query can do nothing but read") {
    QueryFixture fixture;
    for (const char* statement : {"DELETE FROM load RETURNING n", "COMMIT", "PRAGMA foreign_keys = OFF", ";",
                                  "SELECT 0; DELETE FROM load"}) {
        INFO(statement);
        CHECK_THAT(fixture.message(statement),
                   Catch::StartsWith("the throttle query failed (SQLITE_ERROR): "));
    }
    CHECK(fixture.target().query("SELECT count(*) FROM load").text(0, 0) == "1");
    CHECK(fixture.target().query("PRAGMA foreign_keys").text(0, 0) == "1");
}

TEST_CASE("a throttle query that meets a lock is an error that can be tried again") {
    QueryFixture fixture;
    fixture.target().query("PRAGMA busy_timeout = 0");
    SQLite::Database other(fixture.file(), SQLite::OPEN_READWRITE);
    other.exec("BEGIN EXCLUSIVE");
    try {
        fixture.decide("SELECT n FROM load");
        FAIL("nothing was thrown");
    } catch (const DatabaseError& error) {
        CHECK(error.sqlstate() == "SQLITE_BUSY");
    }
    other.exec("ROLLBACK");
    CHECK(fixture.decide("SELECT n FROM load").wait == 1s);
}

TEST_CASE("where several hold the run back, what a person can lift is named first") {
    QueryFixture fixture;
    const TempDir folder;
    ThrottleOptions options = at_most(1);
    options.sleep = 10s;
    options.flag_file = folder / "hold";
    options.query = "SELECT n FROM load";
    std::ofstream{options.flag_file};
    Throttle throttle(options);
    const Clock::time_point now{1h};
    throttle.batch_done(5, now);
    CHECK_THAT(throttle.decide(fixture.target(), now).reason, Catch::StartsWith("the file "));
    std::filesystem::remove(options.flag_file);
    CHECK(throttle.decide(fixture.target(), now).reason == "the throttle query returns 7");
    fixture.target().query("DELETE FROM load");
    CHECK(throttle.decide(fixture.target(), now).reason == "at most 1 rows/s");
    CHECK(throttle.decide(fixture.target(), now + 5s).reason == "sleep 10 s between batches");
    CHECK(throttle.decide(fixture.target(), now + 10s).wait == 0ms);
}
