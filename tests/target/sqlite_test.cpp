#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <SQLiteCpp/Database.h>

#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Texts = std::vector<std::string>;

namespace {

Error open_error(const std::string& path) {
    const auto error = error_of<Error>([&] { open_sqlite(path); });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK(!error.hint().empty());
    return error;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void make_database(const std::string& path) {
    SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
}

/// Root may write whatever a file's mode says: an ordinary user for the life of the object.
class OrdinaryUser {
public:
    OrdinaryUser() : m_former(geteuid()) {
        if (m_former == 0 && seteuid(65534) != 0) throw std::runtime_error("the user cannot be changed");
    }
    ~OrdinaryUser() {
        if (seteuid(m_former) != 0) std::abort();
    }
    OrdinaryUser(const OrdinaryUser&) = delete;
    OrdinaryUser& operator=(const OrdinaryUser&) = delete;

private:
    uid_t m_former;
};

/// Writing beyond this size fails for the life of the object.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &m_former);
        const rlimit limit{bytes, m_former.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &m_former); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit m_former{};
};

}  // namespace

TEST_CASE("SQLite: only an existing database is opened", "[sqlite]") {
    const TempDir folder;
    CHECK(contains(open_error(folder / "none.db").what(), "there is no file"));
    CHECK(!std::filesystem::exists(folder / "none.db"));
    CHECK(contains(open_error(folder.path().string()).what(), "not a file"));
    std::ofstream{folder / "empty.db"};
    CHECK(contains(open_error(folder / "empty.db").what(), "not a database"));
    CHECK(std::filesystem::file_size(folder / "empty.db") == 0);
    std::ofstream{folder / "text.db"} << std::string(5000, 'x');
    CHECK(contains(open_error(folder / "text.db").what(), "not a database"));
}

TEST_CASE("SQLite: a path is a path, whatever characters are in it", "[sqlite]") {
    const TempDir folder;
    for (const std::string name :
         {"a?mode=ro.db", "file:b.db", "c%20d#e.db", ":memory:", "it's.db", "\xC3\xA9.db"}) {
        CAPTURE(name);
        make_database(folder / name);
        const auto target = open_sqlite(folder / name);
        CHECK(target->name() == "sqlite:" + (folder / name));
        CHECK_NOTHROW(target->require_writable());
        CHECK(target->has_table("t"));
    }
}

TEST_CASE("SQLite: the name has the whole path", "[sqlite]") {
    const TempDir folder;
    make_database(folder / "x.db");
    const std::filesystem::path former = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    const std::string name = open_sqlite("./x.db")->name();
    std::filesystem::current_path(former);
    CHECK(name == "sqlite:" + (folder / "x.db"));
}

TEST_CASE("SQLite: a file or a folder that cannot be written is found before anything is done", "[sqlite]") {
    const TempDir folder;
    make_database(folder / "x.db");
    const bool file = GENERATE(true, false);
    chmod((folder / "x.db").c_str(), file ? 0444 : 0666);
    chmod(folder.path().c_str(), file ? 0777 : 0555);
    {
        const OrdinaryUser user;
        const auto target = open_sqlite(folder / "x.db");
        CHECK(target->query("SELECT * FROM t").empty());
        const auto error = error_of<Error>([&] { target->require_writable(); });
        CHECK(error.code() == ExitCode::unreachable);
        CHECK(!error.hint().empty());
    }
    chmod(folder.path().c_str(), 0755);
}

TEST_CASE("SQLite: values come out by storage class and go back in as they were", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    struct Sample {
        std::string sql;
        Value value;
    };
    const std::vector<Sample> samples{
        {"NULL", {}},
        {"9223372036854775807", {ValueKind::integer, "9223372036854775807"}},
        {"-9223372036854775808", {ValueKind::integer, "-9223372036854775808"}},
        {"true", {ValueKind::integer, "1"}},
        {"0.1 + 0.2", {ValueKind::real, "0.30000000000000004"}},
        {"3.0", {ValueKind::real, "3.0"}},
        {"1e300", {ValueKind::real, real_text(1e300)}},
        {"-0.0", {ValueKind::real, "-0.0"}},
        {"9e999", {ValueKind::real, "inf"}},
        {"-9e999", {ValueKind::real, "-inf"}},
        {"12345678901234567890", {ValueKind::real, real_text(12345678901234567890.0)}},
        {"''", {ValueKind::text, ""}},
        {"'it''s'", {ValueKind::text, "it's"}},
        {"CAST(x'610062' AS TEXT)", {ValueKind::text, std::string{"a\0b", 3}}},
        {"CAST(x'ff' AS TEXT)", {ValueKind::text, "\xFF"}},
        {"x''", {ValueKind::blob, ""}},
        {"x'00ff27'", {ValueKind::blob, std::string{"\0\xFF'", 3}}},
    };
    target->query("CREATE TABLE v (k)");
    for (const Sample& sample : samples) {
        CAPTURE(sample.sql);
        const RowSet rows = run(*target, "SELECT " + sample.sql);
        CHECK(rows.value(0, 0) == sample.value);
        const RowSet again = target->query("SELECT $1, typeof($1)", {sample.value});
        CHECK(again.value(0, 0) == sample.value);
        CHECK(again.text(0, 1) == run(*target, "SELECT typeof(" + sample.sql + ")").text(0, 0));
    }
}

TEST_CASE("SQLite: the same digits as text and as number are different keys", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE v (k UNIQUE)", "INSERT INTO v VALUES (1), ('1'), (x'31'), (1.5), ('1.5')"});
    const SqlTemplate sql = with_macro("SELECT k FROM v WHERE ", SqlPiece::Kind::affected, {"k"});
    for (const Value& value :
         {Value::integer(1), Value::text("1"), Value{ValueKind::blob, "1"}, Value{ValueKind::real, "1.5"}}) {
        const std::vector<Key> keys{{value}};
        Scope scope;
        scope.affected = &keys;
        const RowSet rows = target->query(sql, scope);
        REQUIRE(rows.size() == 1);
        CHECK(rows.value(0, 0) == value);
    }
}

TEST_CASE("SQLite: a key under NOCASE finds its row through the index", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE v (a TEXT COLLATE NOCASE, b INTEGER, c TEXT, PRIMARY KEY (a, b))",
                 "CREATE INDEX v_c ON v (c)", "INSERT INTO v VALUES ('Abc', 1, 'x'), ('abd', 2, 'y')"});
    const auto plan = [&](const std::vector<std::string>& columns, const std::vector<Key>& keys) {
        Scope scope;
        scope.affected = &keys;
        scope.range = {keys.front(), keys.front()};
        std::string text;
        for (const SqlPiece::Kind kind : {SqlPiece::Kind::affected, SqlPiece::Kind::batch}) {
            for (const std::string& line : texts(target->query(
                     with_macro("EXPLAIN QUERY PLAN SELECT c FROM v WHERE ", kind, columns), scope))) {
                text += line + "\n";
            }
        }
        return text;
    };
    const std::vector<Key> single{{Value::text("abc")}};
    const std::vector<Key> pair{{Value::text("abc"), Value::integer(1)}};
    CHECK(contains(plan({"a"}, single), "SEARCH v USING INDEX sqlite_autoindex_v_1 (a=?)"));
    CHECK(contains(plan({"a"}, single), "SEARCH v USING INDEX sqlite_autoindex_v_1 (a>? AND a<?)"));
    CHECK(contains(plan({"c"}, single), "SEARCH v USING COVERING INDEX v_c (c=?)"));
    CHECK(contains(plan({"a", "b"}, pair), "SEARCH v USING INDEX sqlite_autoindex_v_1 (a=?)"));
    CHECK(contains(plan({"a", "b"}, pair), "SEARCH v USING INDEX sqlite_autoindex_v_1 ((a,b)>(?,?)"));
    Scope scope;
    scope.affected = &single;
    CHECK(texts(target->query(with_macro("SELECT a FROM v WHERE ", SqlPiece::Kind::affected, {"a"}),
                              scope)) == Texts{"Abc"});
}

TEST_CASE("SQLite: what would reach beyond the statement is refused to a definition", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    target->query("CREATE VIRTUAL TABLE places USING rtree(id, a, b)");
    for (const char* const sql :
         {"ATTACH ':memory:' AS other", "DETACH main", "PRAGMA foreign_keys = OFF", "pragma user_version",
          "EXPLAIN PRAGMA foreign_keys = OFF", "-- c\nPRAGMA cache_size", "BEGIN", "END"}) {
        CAPTURE(sql);
        const auto error = error_of<DatabaseError>([&] { run(*target, sql); });
        CHECK(error.sqlstate() == "SQLITE_AUTH");
        CHECK(!error.hint().empty());
    }
    CHECK(run(*target, "SELECT name FROM pragma_table_info('t')").size() == 1);
    CHECK(run(*database.connect(), "INSERT INTO places VALUES (1, 2, 3) RETURNING id").size() <= 1);
}

TEST_CASE("SQLite: foreign keys are enforced, unless they are switched off", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE p (id INTEGER PRIMARY KEY)", "CREATE TABLE c (p REFERENCES p)"});
    CHECK(error_of<DatabaseError>([&] { run(*target, "INSERT INTO c VALUES (1)"); }).sqlstate() ==
          "SQLITE_CONSTRAINT_FOREIGNKEY");
    target->enforce_foreign_keys(false);
    CHECK_NOTHROW(run(*target, "INSERT INTO c VALUES (1)"));
    target->begin(Isolation::repeatable_read);
    CHECK_THROWS_AS(target->enforce_foreign_keys(true), std::logic_error);
}

TEST_CASE("SQLite: a trigger that rolls everything back is noticed", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(
        *target,
        {"CREATE TABLE t (id INTEGER PRIMARY KEY)",
         "CREATE TRIGGER stop BEFORE INSERT ON t WHEN NEW.id = 2 BEGIN SELECT RAISE(ROLLBACK, 'no'); END"});
    target->begin(Isolation::repeatable_read);
    const std::string id = target->transaction_id();
    run(*target, "INSERT INTO t VALUES (1)");
    const auto error = error_of<DatabaseError>([&] { run(*target, "INSERT INTO t VALUES (2)"); });
    CHECK(error.sqlstate() == "SQLITE_CONSTRAINT_TRIGGER");
    CHECK(target->transaction_id() != id);
    CHECK(target->commit().outcome == Outcome::rolled_back);
    CHECK(target->query("SELECT * FROM t").empty());
}

TEST_CASE("SQLite: a COMMIT that a reader keeps from happening is rolled back", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    const auto reader = database.connect();
    target->query("PRAGMA busy_timeout = 0");
    reader->begin(Isolation::read_only);
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    const CommitResult result = target->commit();
    CHECK(result.outcome == Outcome::rolled_back);
    CHECK(result.sqlstate == "SQLITE_BUSY");
    reader->rollback();
    CHECK(target->query("SELECT * FROM t").empty());
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("SQLite: a second writer is told that the database is busy", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto first = database.connect();
    const auto second = database.connect();
    second->query("PRAGMA busy_timeout = 0");
    first->begin(Isolation::repeatable_read);
    const auto error = error_of<DatabaseError>([&] { second->begin(Isolation::repeatable_read); });
    CHECK(error.sqlstate() == "SQLITE_BUSY");
    CHECK(!error.hint().empty());
    first->rollback();
    CHECK_NOTHROW(second->begin(Isolation::repeatable_read));
}

TEST_CASE("SQLite: a database that is full is known to be rolled back", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB)", "PRAGMA max_page_count = 20"});
    target->begin(Isolation::repeatable_read);
    const auto error =
        error_of<DatabaseError>([&] { run(*target, "INSERT INTO t VALUES (1, zeroblob(1000000))"); });
    CHECK(error.sqlstate() == "SQLITE_FULL");
    const CommitResult result = target->commit();
    if (result.outcome == Outcome::committed) {
        CHECK(target->query("SELECT * FROM t").empty());  // the statement alone was undone
    } else {
        CHECK(result.outcome == Outcome::rolled_back);
    }
}

TEST_CASE("SQLite: a COMMIT that the disk breaks off leaves nothing behind, and is not called committed",
          "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB)");
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1, zeroblob(200000))");
    CommitResult result;
    {
        const FileSizeLimit limit(100'000);
        result = target->commit();
    }
    CHECK(result.outcome != Outcome::committed);
    CHECK(result.sqlstate == "SQLITE_IOERR_WRITE");
    CHECK(target->query("SELECT id FROM t").empty());
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (2, NULL)");
    CHECK(target->commit().outcome == Outcome::committed);
    CHECK(texts(database.connect()->query("SELECT id FROM t")) == Texts{"2"});
}

TEST_CASE("SQLite: a bind parameter of the definition is an error, not NULL", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    for (const char* const sql : {"SELECT ?", "SELECT ?1", "SELECT :name", "SELECT @name", "SELECT $name"}) {
        CAPTURE(sql);
        CHECK(error_of<DatabaseError>([&] { run(*target, sql); }).sqlstate() == "SQLITE_RANGE");
    }
    Scope scope;
    scope.range.upto = Key{Value::integer(1)};
    CHECK_THROWS_AS(
        target->query(with_macro("SELECT ?1 FROM t WHERE ", SqlPiece::Kind::batch, {"id"}), scope),
        DatabaseError);
}
