#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Trust = TouchedTables::Trust;

TEST_CASE("SQLite: the witness sees REPLACE, upserts, DELETE without WHERE and WITHOUT ROWID", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE t (id integer PRIMARY KEY, name text)",
                 "CREATE TABLE w (id text PRIMARY KEY, name text) WITHOUT ROWID",
                 "INSERT INTO t VALUES (1, 'a'), (2, 'b')", "INSERT INTO w VALUES ('1', 'a'), ('2', 'b')"});
    target->begin(Isolation::repeatable_read);
    run(*target, "REPLACE INTO t VALUES (1, 'x'), (3, 'y')");
    CHECK(counts(target->touched(), "main.t") == "2/0/1");
    run(*target, "INSERT INTO t VALUES (1, 'z') ON CONFLICT (id) DO UPDATE SET name = excluded.name");
    CHECK(counts(target->touched(), "main.t") == "2/1/1");
    run(*target, "INSERT OR IGNORE INTO t VALUES (1, 'z')");
    CHECK(counts(target->touched(), "main.t") == "2/1/1");
    run(*target, "DELETE FROM t");
    CHECK(counts(target->touched(), "main.t") == "2/1/4");
    run(*target, "UPDATE w SET name = 'c'");
    CHECK(counts(target->touched(), "main.w") == "0/2/0");
    run(*target, "UPDATE w SET id = id || 'k' WHERE id = '1'");
    CHECK(counts(target->touched(), "main.w") == "0/3/0");
    run(*target, "DELETE FROM w");
    CHECK(counts(target->touched(), "main.w") == "0/3/2");
    CHECK(target->touched().trust == Trust::complete);
}

TEST_CASE("SQLite: a failed statement makes the witness doubtful, until the next transaction", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)"});
    target->begin(Isolation::repeatable_read);
    CHECK_THROWS(run(*target, "INSERT INTO t VALUES (1), (2), (1)"));
    CHECK(target->touched().trust == Trust::may_overcount);
    target->rollback();
    target->begin(Isolation::repeatable_read);
    CHECK(target->touched().trust == Trust::complete);
    CHECK(target->touched().tables.empty());
}

TEST_CASE("SQLite: shadow tables are counted as they are, and the witness says so", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(
        *target,
        {"CREATE TABLE t (id integer PRIMARY KEY, body text)", "CREATE VIRTUAL TABLE search USING fts5(body)",
         "CREATE TRIGGER t_search AFTER INSERT ON t BEGIN INSERT INTO search VALUES (NEW.body); END"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1, 'some words')");
    const TouchedTables touched = target->touched();
    CHECK(counts(touched, "main.t") == "1/0/0");
    CHECK(counts(touched, "main.search_content") == "1/0/0");
    CHECK(touched.trust == Trust::may_overcount);
    CHECK(touched.reason.find("search_") != std::string::npos);
}

TEST_CASE("SQLite: a dropped table is told", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "DROP TABLE t");
    CHECK(target->touched().tables.at("main.t").truncated);
}

TEST_CASE("SQLite: the witness sees the rows that REPLACE takes away, by whatever key", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    const std::string kind = GENERATE("", " WITHOUT ROWID");
    execute_all(*target, {"CREATE TABLE t (id text PRIMARY KEY, name text UNIQUE, n integer)" + kind,
                          "INSERT INTO t VALUES ('1', 'a', 0), ('2', 'b', 0), ('3', 'c', 0)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT OR REPLACE INTO t VALUES ('1', 'b', 1)");  // in place of two
    CHECK(counts(target->touched(), "main.t") == "1/0/2");
    run(*target, "UPDATE OR REPLACE t SET name = 'c' WHERE id = '1'");
    CHECK(counts(target->touched(), "main.t") == "1/1/3");
    CHECK(texts(target->query("SELECT id, name FROM t")) == std::vector<std::string>{"1|c"});
    CHECK(target->touched().trust == Trust::complete);
}

TEST_CASE("SQLite: what a trigger raises is counted as it is, or makes the witness doubtful", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    const auto raise_in = [&](const std::string& when, const std::string& raise) {
        execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE log (id integer)",
                              "CREATE TRIGGER refuse " + when +
                                  " INSERT ON t BEGIN INSERT INTO log VALUES "
                                  "(NEW.id); SELECT " +
                                  raise + " WHERE NEW.id = 2; END"});
        target->begin(Isolation::repeatable_read);
    };
    const std::string insert = "INSERT INTO t VALUES (1), (2), (3)";
    SECTION("IGNORE before the row leaves the row out, and keeps what the trigger did") {
        raise_in("BEFORE", "RAISE(IGNORE)");
        run(*target, insert);
        CHECK(counts(target->touched(), "main.t") == "2/0/0");
        CHECK(counts(target->touched(), "main.log") == "3/0/0");
        CHECK(target->touched().trust == Trust::complete);
    }
    SECTION("IGNORE after the row keeps both") {
        raise_in("AFTER", "RAISE(IGNORE)");
        run(*target, insert);
        CHECK(counts(target->touched(), "main.t") == "3/0/0");
        CHECK(counts(target->touched(), "main.log") == "3/0/0");
        CHECK(target->touched().trust == Trust::complete);
    }
    SECTION("FAIL keeps the rows before") {
        raise_in("BEFORE", "RAISE(FAIL, 'no')");
        CHECK_THROWS_AS(run(*target, insert), DatabaseError);
        CHECK(texts(target->query("SELECT id FROM t")) == std::vector<std::string>{"1"});
        CHECK(counts(target->touched(), "main.t") == "1/0/0");
        CHECK(target->touched().trust == Trust::may_overcount);
    }
    SECTION("ABORT undoes the statement, which stays counted") {
        raise_in("BEFORE", "RAISE(ABORT, 'no')");
        CHECK_THROWS_AS(run(*target, insert), DatabaseError);
        CHECK(target->query("SELECT id FROM t").empty());
        CHECK(target->touched().trust == Trust::may_overcount);
        CHECK(!target->touched().reason.empty());
    }
    SECTION("ROLLBACK undoes the transaction, and the next one begins anew") {
        raise_in("BEFORE", "RAISE(ROLLBACK, 'no')");
        const std::string id = target->transaction_id();
        CHECK_THROWS_AS(run(*target, insert), DatabaseError);
        CHECK(target->transaction_id() != id);
        CHECK(target->touched().trust != Trust::complete);
        target->rollback();
        target->begin(Isolation::repeatable_read);
        CHECK(target->touched().tables.empty());
        CHECK(target->touched().trust == Trust::complete);
    }
}

TEST_CASE("SQLite: rows that a conflict clause leaves out or undoes are told apart", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (2)"});
    target->begin(Isolation::repeatable_read);
    SECTION("OR IGNORE") {
        run(*target, "INSERT OR IGNORE INTO t VALUES (1), (2), (3)");
        CHECK(counts(target->touched(), "main.t") == "2/0/0");
        CHECK(target->touched().trust == Trust::complete);
    }
    SECTION("OR FAIL") {
        CHECK_THROWS_AS(run(*target, "INSERT OR FAIL INTO t VALUES (1), (2), (3)"), DatabaseError);
        CHECK(counts(target->touched(), "main.t") == "1/0/0");
        CHECK(target->touched().trust == Trust::may_overcount);
    }
}

TEST_CASE("SQLite: the witness counts on the new session after reconnect", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE w (id text PRIMARY KEY) WITHOUT ROWID", "INSERT INTO w VALUES ('1')"});
    target->reconnect();
    target->begin(Isolation::repeatable_read);
    run(*target, "DELETE FROM w");
    CHECK(counts(target->touched(), "main.w") == "0/0/1");
}
