#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Trust = TouchedTables::Trust;

TEST_CASE("PostgreSQL: rows of partitions count for the root, a move is a delete and an insert",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE log (id integer, kind integer) PARTITION BY LIST (kind)",
                          "CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1) PARTITION BY LIST (id)",
                          "CREATE TABLE log_1_1 PARTITION OF log_1 FOR VALUES IN (1)",
                          "CREATE TABLE log_1_2 PARTITION OF log_1 DEFAULT",
                          "CREATE TABLE log_2 PARTITION OF log FOR VALUES IN (2)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO log VALUES (1, 1), (2, 1), (3, 2)");
    CHECK(counts(target->touched(), "public.log") == "3/0/0");
    run(*target, "UPDATE log SET kind = 2 WHERE id = 1");
    CHECK(counts(target->touched(), "public.log") == "4/0/1");
    CHECK(target->touched().tables.size() == 1);
}

TEST_CASE("PostgreSQL: a truncated table is told, even if a trigger filled it first", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer)", "INSERT INTO t SELECT generate_series(1, 1000)",
                          "ANALYZE t", "CREATE TABLE other (id integer)"});
    SECTION("by a statement") {
        target->begin(Isolation::repeatable_read);
        run(*target, "TRUNCATE t");
        CHECK(counts(target->touched(), "public.t") == "0/0/0 truncated");
    }
    SECTION("after an insert, within a sub-transaction") {
        target->begin(Isolation::read_committed);
        run(*target, "INSERT INTO other VALUES (1)");
        run(*target,
            "DO $$ BEGIN INSERT INTO t VALUES (1); TRUNCATE t; EXCEPTION WHEN division_by_zero THEN NULL; "
            "END $$");
        CHECK(target->touched().tables.at("public.t").truncated);
        CHECK(!target->touched().tables.at("public.other").truncated);
    }
    CHECK(target->touched().trust == Trust::complete);
    target->rollback();
    target->begin(Isolation::read_committed);
    run(*target, "INSERT INTO t VALUES (1)");
    CHECK(counts(target->touched(), "public.t") == "1/0/0");
}

TEST_CASE("PostgreSQL: tables that others truncate, create or fill meanwhile are not ours", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const auto other = database.connect();
    execute_all(*target, {"CREATE TABLE mine (id integer)", "CREATE TABLE theirs (id integer)", "ANALYZE"});
    target->begin(Isolation::read_committed);
    run(*target, "INSERT INTO mine VALUES (1)");
    execute_all(*other,
                {"INSERT INTO theirs VALUES (1)", "TRUNCATE theirs", "CREATE TABLE further (id integer)"});
    const TouchedTables touched = target->touched();
    CHECK(touched.tables.size() == 1);
    CHECK(counts(touched, "public.mine") == "1/0/0");
}

TEST_CASE("PostgreSQL: a table made in the transaction counts its rows and is not called truncated",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->begin(Isolation::repeatable_read);
    target->query("CREATE TABLE made AS SELECT generate_series(1, 3) AS id");
    CHECK(counts(target->touched(), "public.made") == "3/0/0");
}

TEST_CASE("PostgreSQL: without track_counts the witness is not available and says so", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    target->query("SET track_counts = off");
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    CHECK(target->touched().trust == Trust::unavailable);
    CHECK(target->touched().reason.find("track_counts") != std::string::npos);
}

TEST_CASE("PostgreSQL: rows that earlier transactions have counted are not ours", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    // without a pause in between nothing is handed to the statistics, which happens once a second at most
    for (int i = 0; i < 50; ++i) run(*target, "INSERT INTO t VALUES (1)");
    target->begin(Isolation::repeatable_read);
    CHECK(target->touched().tables.empty());
    run(*target, "DELETE FROM t");
    CHECK(counts(target->touched(), "public.t") == "0/0/50");
}

TEST_CASE("PostgreSQL: a table that a trigger fills and truncates, or a cascade truncates, is told",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const std::string truncated = GENERATE("queue", "parent CASCADE");
    execute_all(*target, {"CREATE TABLE t (id integer)", "CREATE TABLE parent (id integer PRIMARY KEY)",
                          "CREATE TABLE queue (parent integer REFERENCES parent (id))",
                          "INSERT INTO parent VALUES (1)", "INSERT INTO queue VALUES (1), (1)",
                          "CREATE FUNCTION clear() RETURNS trigger LANGUAGE plpgsql AS "
                          "'BEGIN INSERT INTO queue VALUES (1); TRUNCATE " +
                              truncated + "; RETURN NULL; END'",
                          "CREATE TRIGGER clear AFTER INSERT ON t EXECUTE FUNCTION clear()"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    const TouchedTables touched = target->touched();
    CHECK(counts(touched, "public.t") == "1/0/0");
    CHECK(touched.tables.at("public.queue").truncated);
    CHECK((touched.tables.contains("public.parent") && touched.tables.at("public.parent").truncated) ==
          (truncated == "parent CASCADE"));
}

TEST_CASE("PostgreSQL: a partition that is truncated is told of its root", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE log (id integer) PARTITION BY LIST (id)",
                 "CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1)",
                 "CREATE TABLE log_2 PARTITION OF log FOR VALUES IN (2)", "INSERT INTO log VALUES (1), (2)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "TRUNCATE log_1");
    run(*target, "UPDATE log SET id = id");
    CHECK(counts(target->touched(), "public.log") == "0/1/0 truncated");
    CHECK(target->touched().tables.size() == 1);
}

TEST_CASE("PostgreSQL: rows in a partition or table that others made since the transaction began are counted",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const auto other = database.connect();
    execute_all(*target, {"CREATE TABLE log (id integer) PARTITION BY LIST (id)",
                          "CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1)"});
    target->begin(Isolation::repeatable_read);
    execute_all(*other, {"CREATE TABLE log_2 PARTITION OF log FOR VALUES IN (2)",
                         "CREATE TABLE further (id integer)", "INSERT INTO log VALUES (2)"});
    run(*target, "INSERT INTO log VALUES (1), (2)");
    run(*target, "INSERT INTO further VALUES (1), (2), (3)");
    const TouchedTables touched = target->touched();
    CHECK(counts(touched, "public.log") == "2/0/0");
    CHECK(touched.tables.size() == 2);
    CHECK(counts(touched, "further") == "3/0/0");
}

TEST_CASE("PostgreSQL: what rules add to or put in place of a statement is counted", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(
        *target,
        {"CREATE TABLE t (id integer)", "CREATE TABLE copied (id integer)",
         "CREATE TABLE kept (id integer, gone boolean)", "INSERT INTO kept VALUES (1, false)",
         "CREATE RULE copy AS ON INSERT TO t DO ALSO INSERT INTO copied VALUES (NEW.id), (NEW.id)",
         "CREATE RULE keep AS ON DELETE TO kept DO INSTEAD UPDATE kept SET gone = true WHERE id = OLD.id"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    run(*target, "DELETE FROM kept");
    const TouchedTables touched = target->touched();
    CHECK(counts(touched, "public.t") == "1/0/0");
    CHECK(counts(touched, "public.copied") == "2/0/0");
    CHECK(counts(touched, "public.kept") == "0/1/0");
}

TEST_CASE("PostgreSQL: statements within a statement, and those that give no rows, are counted",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer)", "CREATE TABLE archive (id integer)",
                          "INSERT INTO t VALUES (1), (2), (3)", "CREATE UNLOGGED TABLE fleeting (id integer)",
                          "CREATE FUNCTION fill() RETURNS integer LANGUAGE sql AS "
                          "'INSERT INTO fleeting VALUES (1), (2); SELECT 1'"});
    target->begin(Isolation::repeatable_read);
    run(*target,
        "WITH gone AS (DELETE FROM t WHERE id > 1 RETURNING id) INSERT INTO archive SELECT id FROM gone");
    run(*target, "SELECT fill()");
    run(*target, "DO $$ BEGIN UPDATE t SET id = id; END $$");
    const TouchedTables touched = target->touched();
    CHECK(counts(touched, "public.t") == "0/1/2");
    CHECK(counts(touched, "public.archive") == "2/0/0");
    CHECK(counts(touched, "public.fleeting") == "2/0/0");
}

TEST_CASE("PostgreSQL: rows of a block that was rolled back stay counted: too many, never too few",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    target->begin(Isolation::repeatable_read);
    run(*target,
        "DO $$ BEGIN INSERT INTO t VALUES (1); BEGIN INSERT INTO t VALUES (2); RAISE division_by_zero; "
        "EXCEPTION WHEN division_by_zero THEN NULL; END; END $$");
    CHECK(texts(target->query("SELECT count(*) FROM t")) == std::vector<std::string>{"1"});
    CHECK(counts(target->touched(), "public.t") == "2/0/0");
}
