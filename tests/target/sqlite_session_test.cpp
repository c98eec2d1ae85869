#include <chrono>
#include <filesystem>
#include <fstream>

#include <SQLiteCpp/Database.h>

#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_CASE("SQLite: it has neither replicas nor sessions to tell of", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    const auto error = error_of<Error>([&] { target->replication_lag(); });
    CHECK(error.code() == ExitCode::usage);
    CHECK(std::string{error.what()} == "SQLite has no replicas");
    CHECK(target->other_sessions("datachange tests").empty());
}

TEST_CASE("SQLite: a file that another one has replaced is lost, and nothing is written to either",
          "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    const std::string mode = GENERATE("DELETE", "WAL");
    target->query("PRAGMA journal_mode = " + mode);
    target->query("CREATE TABLE t (id integer)");
    const std::string path = database.address();
    SQLite::Database(path + ".new", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE t (id integer, name text)");
    CHECK(!target->lost());
    std::filesystem::rename(path, path + ".old");
    std::filesystem::rename(path + ".new", path);

    CHECK(target->lost());
    const auto error = error_of<DatabaseError>([&] { target->begin(Isolation::repeatable_read); });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK(error.sqlstate() == "SQLITE_READONLY_DBMOVED");
    CHECK(!error.hint().empty());
    target->rollback();

    std::filesystem::remove(path + "-wal");
    std::filesystem::remove(path + "-shm");
    target->reconnect();
    CHECK(!target->lost());
    CHECK(target->table("t").columns.size() == 2);
}

TEST_CASE("SQLite: reconnect to a file that is not there is an error, until it is back", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    const std::string path = database.address();
    std::filesystem::rename(path, path + ".away");
    CHECK(target->lost());
    for (int attempt = 0; attempt < 2; ++attempt) {
        CHECK(error_of<Error>([&] { target->reconnect(); }).code() == ExitCode::unreachable);
        CHECK(target->lost());
    }
    std::ofstream(path) << std::string(4096, 'x');
    CHECK(error_of<Error>([&] { target->reconnect(); }).code() == ExitCode::unreachable);
    CHECK(target->lost());
    std::filesystem::rename(path + ".away", path);
    target->reconnect();
    CHECK(!target->lost());
    CHECK(target->has_table("t"));
}

TEST_CASE("SQLite: reconnect keeps foreign keys as they were switched", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    const bool on = GENERATE(true, false);
    target->enforce_foreign_keys(on);
    target->reconnect();
    CHECK(texts(target->query("PRAGMA foreign_keys")) == Texts{on ? "1" : "0"});
}

TEST_CASE("SQLite: the session's own patience comes back with every transaction", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    const auto busy_timeout = [&] { return target->query("PRAGMA busy_timeout").text(0, 0); };
    const std::string own = busy_timeout();
    target->set_timeouts({1500ms, 0ms});
    target->begin(Isolation::repeatable_read);
    CHECK(busy_timeout() == "1500");
    CHECK(target->commit().outcome == Outcome::committed);
    CHECK(busy_timeout() == own);
    target->begin(Isolation::read_only);
    CHECK(busy_timeout() == own);
    target->rollback();
}
