#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Texts = std::vector<std::string>;

namespace {

Engine each_engine() {
    return GENERATE(Engine::postgresql, Engine::sqlite);
}

}  // namespace

TEST_CASE("What is committed is seen by others, what is rolled back by nobody", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)"});

    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    const CommitResult result = target->commit();
    CHECK(result.outcome == Outcome::committed);
    CHECK(result.sqlstate.empty());

    target->begin(Isolation::read_committed);
    run(*target, "INSERT INTO t VALUES (2)");
    target->rollback();
    CHECK(texts(database.connect()->query("SELECT id FROM t")) == Texts{"1"});
}

TEST_CASE("A statement without a transaction stands alone", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)"});
    run(*target, "INSERT INTO t VALUES (1)");
    CHECK(texts(database.connect()->query("SELECT id FROM t")) == Texts{"1"});
}

TEST_CASE("A transaction that is still open when the target goes away is rolled back", "[contract]") {
    const TestDatabase database(each_engine());
    database.connect()->query("CREATE TABLE t (id integer PRIMARY KEY)");
    {
        const auto target = database.connect();
        target->begin(Isolation::repeatable_read);
        run(*target, "INSERT INTO t VALUES (1)");
    }
    CHECK(database.connect()->query("SELECT id FROM t").empty());
}

TEST_CASE("rollback without a transaction does nothing", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    target->rollback();
    target->begin(Isolation::repeatable_read);
    target->rollback();
    target->rollback();
    CHECK_NOTHROW(target->begin(Isolation::repeatable_read));
}

TEST_CASE("A read-only transaction sees one snapshot from its beginning", "[contract]") {
    const TestDatabase database(each_engine());
    const auto writer = database.connect();
    if (database.engine() == Engine::sqlite) writer->query("PRAGMA journal_mode = WAL");
    execute_all(*writer, {"CREATE TABLE t (id integer PRIMARY KEY)"});
    const auto reader = database.connect();

    reader->begin(Isolation::read_only);
    if (database.engine() == Engine::postgresql) run(*reader, "SELECT 1");  // where the snapshot is taken
    writer->query("INSERT INTO t VALUES (1)");
    CHECK(run(*reader, "SELECT id FROM t").empty());
    reader->rollback();
    CHECK(run(*reader, "SELECT id FROM t").size() == 1);
}

TEST_CASE("A read-only transaction refuses to write", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)"});
    target->begin(Isolation::read_only);
    const auto error = error_of<DatabaseError>([&] { run(*target, "INSERT INTO t VALUES (1)"); });
    CHECK(error.sqlstate() == (database.engine() == Engine::postgresql ? "25006" : "SQLITE_READONLY"));
    CHECK(!error.hint().empty() == (database.engine() == Engine::postgresql));
}

TEST_CASE("A failed statement names its SQL and its SQLSTATE, and the transaction is rolled back",
          "[contract]") {
    const TestDatabase database(each_engine());
    const bool postgres = database.engine() == Engine::postgresql;
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (2)");
    const auto error = error_of<DatabaseError>([&] { run(*target, "INSERT INTO t VALUES (1)"); });
    CHECK(error.sqlstate() == (postgres ? "23505" : "SQLITE_CONSTRAINT_PRIMARYKEY"));
    CHECK(error.statement() == "INSERT INTO t VALUES (1)");
    CHECK(error.code() == ExitCode::failed);
    const std::string message = error.what();
    CHECK(message.find("ERROR") == std::string::npos);
    CHECK(message.back() != '\n');
    target->rollback();
    CHECK(target->query("SELECT id FROM t").size() == 1);
}

TEST_CASE("A deferred constraint that fails at COMMIT is known to be rolled back", "[contract]") {
    const TestDatabase database(each_engine());
    const bool postgres = database.engine() == Engine::postgresql;
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE parent (id integer PRIMARY KEY)",
                          "CREATE TABLE child (id integer PRIMARY KEY, "
                          "parent integer REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO child VALUES (1, 7)");
    const CommitResult result = target->commit();
    CHECK(result.outcome == Outcome::rolled_back);
    CHECK(result.sqlstate == (postgres ? "23503" : "SQLITE_CONSTRAINT_FOREIGNKEY"));
    CHECK(!result.message.empty());
    CHECK(target->query("SELECT id FROM child").empty());
    CHECK_NOTHROW(target->begin(Isolation::repeatable_read));
}

TEST_CASE("settle finds a deferred violation before COMMIT", "[contract]") {
    const TestDatabase database(each_engine());
    const bool postgres = database.engine() == Engine::postgresql;
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE parent (id integer PRIMARY KEY)",
                          "CREATE TABLE child (id integer PRIMARY KEY, "
                          "parent integer REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO child VALUES (1, 7)");
    const auto error = error_of<DatabaseError>([&] { target->settle(); });
    CHECK(error.sqlstate() == (postgres ? "23503" : "SQLITE_CONSTRAINT_FOREIGNKEY"));
    target->rollback();

    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO child VALUES (1, 7)");
    run(*target, "INSERT INTO parent VALUES (7)");
    CHECK_NOTHROW(target->settle());
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("A transaction has one id, and another one has another", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)"});
    target->begin(Isolation::repeatable_read);
    const std::string first = target->transaction_id();
    run(*target, "INSERT INTO t VALUES (1)");
    CHECK(target->transaction_id() == first);
    target->rollback();
    target->begin(Isolation::repeatable_read);
    CHECK(target->transaction_id() != first);
}

TEST_CASE("A definition cannot end the transaction, in whatever disguise", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)"});
    for (const std::string sql :
         {"COMMIT", "  -- c\n commit", "/* a */ END", ";COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT a",
          "RELEASE a", "INSERT INTO t VALUES (2); COMMIT",
          "INSERT INTO t VALUES (2);; -- c\n /* */ COMMIT; INSERT INTO t VALUES (3)"}) {
        CAPTURE(sql);
        target->begin(Isolation::repeatable_read);
        run(*target, "INSERT INTO t VALUES (1)");
        CHECK_THROWS_AS(run(*target, sql), DatabaseError);
        target->rollback();
        CHECK(target->query("SELECT id FROM t").empty());
        CHECK_THROWS_AS(target->prepare(plain_sql(sql), {}), DatabaseError);
    }
}

TEST_CASE("begin in an open transaction is a mistake of the program", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    target->begin(Isolation::repeatable_read);
    CHECK_THROWS_AS(target->begin(Isolation::repeatable_read), std::logic_error);
}
