#include <fmt/format.h>

#include "capture/returned_post.hpp"
#include "capture/trial.hpp"

using namespace datachange;
using namespace datachange::test;

namespace {

const std::string all = "SELECT id, name FROM t WHERE id < 100";
const std::string rename_all = "UPDATE t SET name = 'new' || id WHERE id < 100 RETURNING id, name";

std::vector<std::string> table(const std::vector<std::string>& more = {}) {
    std::vector<std::string> setup{
        "CREATE TABLE t (id integer PRIMARY KEY, name text, n integer, up integer REFERENCES t ON DELETE "
        "CASCADE)",
        "CREATE TABLE log (what text)",
        "INSERT INTO t VALUES (1, 'a', 1, NULL), (2, 'b', 2, NULL), (3, 'c', 3, 2), (200, 'd', 4, 3)"};
    setup.insert(setup.end(), more.begin(), more.end());
    return setup;
}

/// What was captured must not tell whether post was read.
bool reads_post(Trial& trial, const std::string& pre, const std::string& change,
                const std::string& post = "") {
    INFO(change);
    const TrialResult result = trial.capture(definition_of(pre, change, post));
    CHECK(result.kept == result.read);
    return result.read_post;
}

bool reads_post(Engine engine, const std::vector<std::string>& setup, const std::string& pre,
                const std::string& change, const std::string& post = "") {
    Trial trial(engine, setup);
    return reads_post(trial, pre, change, post);
}

/// A trigger on both engines. @param body of statements with semicolons.
std::vector<std::string> trigger(Engine engine, const std::string& when, const std::string& body) {
    if (engine == Engine::sqlite) {
        return {fmt::format("CREATE TRIGGER x {} ON t FOR EACH ROW BEGIN {} END", when, body)};
    }
    return {
        fmt::format(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {} RETURN coalesce(NEW, OLD); "
            "END$$",
            body),
        fmt::format("CREATE TRIGGER x {} ON t FOR EACH ROW EXECUTE FUNCTION f()", when)};
}

}  // namespace

TEST_CASE("plain changes of one table take post from RETURNING") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    Trial trial(engine, table());
    CHECK_FALSE(reads_post(trial, all, rename_all));
    CHECK_FALSE(reads_post(trial, all, "UPDATE t SET name = 'x' WHERE id < 100 RETURNING *"));
    CHECK_FALSE(reads_post(trial, all,
                           "WITH s AS (SELECT 'x' AS v) UPDATE t SET name = (SELECT v FROM s) WHERE id < "
                           "100 RETURNING id, name"));
    CHECK_FALSE(reads_post(trial, all,
                           "UPDATE t SET name = 'x' WHERE id IN (1, 2) RETURNING id, name"));  // 3 is missing
    CHECK_FALSE(reads_post(trial, all, "UPDATE t SET name = 'x' WHERE false RETURNING id, name"));
    CHECK_FALSE(reads_post(trial, all, rename_all, "SELECT name, id FROM t WHERE :affected(id)"));
    CHECK_FALSE(reads_post(trial, "SELECT id, name FROM t WHERE id = 200",
                           "DELETE FROM t WHERE id = 200 RETURNING id"));
    CHECK_FALSE(reads_post(trial, "SELECT id, name FROM t WHERE id < 300",
                           "DELETE FROM t WHERE id = 200 RETURNING id"));
    CHECK_FALSE(
        reads_post(trial, "SELECT id, name FROM t WHERE false",
                   "INSERT INTO t (id, name) VALUES (12, 'l'), (9, 'i'), (-1, 'm') RETURNING id, name"));
}

TEST_CASE("a slice of a key list takes post from RETURNING") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    Trial trial(engine, table());
    CHECK_FALSE(reads_post(trial, all, "UPDATE t SET name = 'x' WHERE :affected(id) RETURNING id, name"));
    CHECK_FALSE(
        reads_post(trial, all, "UPDATE t SET name = 'x' WHERE :affected(id) AND id > 1 RETURNING id, name"));
    CHECK(reads_post(trial, all,
                     "UPDATE t SET name = 'x' WHERE :affected(id) RETURNING id, lower(name) AS name"));
}

TEST_CASE("post is read where RETURNING does not give its columns as they are stored") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    Trial trial(engine, table());
    CHECK(reads_post(trial, all, "UPDATE t SET name = 'X' WHERE id < 100 RETURNING id, lower(name) AS name"));
    CHECK(reads_post(trial, all, "UPDATE t SET name = 'X' WHERE id < 100 RETURNING id, n AS name"));
    CHECK(reads_post(trial, all, "UPDATE t SET name = 'X' WHERE id < 100 RETURNING id"));
    CHECK(reads_post(trial, "SELECT id, name, n FROM t WHERE id < 100", rename_all));
    CHECK(reads_post(trial, all, "UPDATE t SET name = 'X' WHERE id < 100 RETURNING id, name || '' AS name"));
    CHECK(reads_post(trial, all, rename_all, "SELECT id, lower(name) AS name FROM t WHERE :affected(id)"));
    CHECK(reads_post(trial, all, rename_all, "SELECT id, name FROM t WHERE :affected(id) AND n > 1"));
    CHECK(reads_post(trial, all, rename_all, "SELECT id, name FROM t WHERE id < 100"));
    CHECK(reads_post(trial, all, rename_all, "SELECT * FROM t WHERE :affected(id)"));
    CHECK(reads_post(trial, all, rename_all,
                     "SELECT id, what AS name FROM t JOIN log ON true WHERE :affected(id)"));
    CHECK(reads_post(trial, all,
                     "UPDATE t SET id = id + 1000 WHERE id = 1 RETURNING id, name, id - 1000 AS was_id"));
}

TEST_CASE("post is read where rows are changed beside those that RETURNING gives") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    Trial trial(engine, table());
    CHECK(
        reads_post(trial, "SELECT id, name FROM t WHERE id = 2", "DELETE FROM t WHERE id = 2 RETURNING id"));
    CHECK(reads_post(
        trial, "SELECT id, name FROM t WHERE id = 1",
        "INSERT INTO t (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'x' RETURNING id, "
        "name"));
    CHECK(reads_post(trial, all,
                     "UPDATE t SET name = 'x' WHERE id = 1 RETURNING id, name; UPDATE t SET name = 'y' WHERE "
                     "id = 2 RETURNING id, name"));
    CHECK(reads_post(trial, "SELECT id, name FROM t WHERE id = 1",
                     "UPDATE t SET name = 'x' WHERE id < 3 RETURNING id, name"));
    const std::string watched =
        definition_of(all, rename_all) + "-- audit:watch log\n-- identifier: what\nSELECT what FROM log;\n";
    const TrialResult result = trial.capture(watched);
    CHECK(result.read_post);
    CHECK(result.kept == result.read);
}

TEST_CASE("post is read where a trigger does more than RETURNING tells") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    const auto reads = [&](const std::string& when, const std::string& body) {
        return reads_post(engine, table(trigger(engine, when, body)), all, rename_all);
    };
    CHECK(reads("AFTER UPDATE OF name", "UPDATE t SET n = 99 WHERE id = NEW.id;"));
    CHECK(reads("AFTER UPDATE", "INSERT INTO log VALUES ('seen');"));
    CHECK(reads("BEFORE UPDATE", "INSERT INTO log VALUES ('seen');"));
    CHECK(reads("AFTER UPDATE", "INSERT INTO log VALUES ('x'); DELETE FROM log;"));
    CHECK(reads("AFTER UPDATE", "DELETE FROM t WHERE id = NEW.id;"));
    CHECK(reads("AFTER UPDATE", "DELETE FROM t WHERE id = 200;"));
}

TEST_CASE("an identifier that is not unique in the table has post read") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    const std::vector<std::string> setup{"CREATE TABLE t (id integer, name text)",
                                         "INSERT INTO t VALUES (1, 'a'), (1, 'b'), (2, 'c')"};
    Trial trial(engine, setup);
    CHECK(reads_post(trial, "SELECT id, name FROM t WHERE name = 'a'",
                     "UPDATE t SET name = 'x' WHERE name = 'a' RETURNING id, name"));
}

TEST_CASE("a row that change left alone is not taken from the pre of a join") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    Trial trial(engine, table());
    const std::string joined = "SELECT t.id, o.name FROM t JOIN t AS o ON o.id = t.n WHERE t.id < 100";
    CHECK(reads_post(trial, joined, "UPDATE t SET name = 'x' WHERE id = 1 RETURNING id, name"));
    CHECK_FALSE(reads_post(trial, joined, rename_all));
}

TEST_CASE(
    "PostgreSQL: triggers that change the new row itself are in RETURNING, and deferred ones are seen") {
    const Engine engine = Engine::postgresql;
    CHECK_FALSE(reads_post(engine, table(trigger(engine, "BEFORE UPDATE", "NEW.name := 'by trigger';")), all,
                           rename_all));
    CHECK_FALSE(reads_post(engine,
                           table(trigger(engine, "BEFORE UPDATE", "IF NEW.id = 2 THEN RETURN NULL; END IF;")),
                           all, rename_all));
    CHECK(reads_post(
        engine,
        table({"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN UPDATE t SET name = "
               "'late' WHERE id = NEW.id AND name <> 'late'; RETURN NULL; END$$",
               "CREATE CONSTRAINT TRIGGER x AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH "
               "ROW EXECUTE FUNCTION f()"}),
        all, rename_all));
    CHECK(reads_post(
        engine,
        table(trigger(engine, "AFTER UPDATE OF name",
                      "BEGIN UPDATE t SET n = 7 WHERE id = NEW.id; RAISE division_by_zero; EXCEPTION WHEN "
                      "division_by_zero THEN NULL; END;")),
        all, rename_all));
}

TEST_CASE("PostgreSQL: what a column makes of a value is in RETURNING") {
    const std::vector<std::string> setup{
        "CREATE DOMAIN code AS varchar(4)",
        "CREATE TABLE t (id integer PRIMARY KEY, c char(6), d numeric(8, 2), code code, j jsonb, r real, "
        "g text GENERATED ALWAYS AS (upper(code)) STORED, a text[])",
        "INSERT INTO t VALUES (1, 'a', 1, 'a', '{}', 1), (2, 'b', 2, 'b', '[1]', 2)"};
    CHECK_FALSE(
        reads_post(Engine::postgresql, setup, "SELECT * FROM t",
                   "UPDATE t SET c = 'x', d = 1.005, code = 'qq', j = '{\"b\": 1, \"a\":  2, \"a\": 3}', r = "
                   "0.1, a = '{ a , \"b c\"}' RETURNING *"));
}

TEST_CASE("PostgreSQL: rows of partitions, children and views") {
    const Engine engine = Engine::postgresql;
    const std::vector<std::string> partitioned{
        "CREATE TABLE t (id integer PRIMARY KEY, name text) PARTITION BY RANGE (id)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (100)",
        "INSERT INTO t VALUES (1, 'a'), (11, 'b')"};
    CHECK_FALSE(reads_post(engine, partitioned, all, rename_all));
    CHECK(reads_post(
        engine,
        {"CREATE TABLE t (id integer, part integer, name text, PRIMARY KEY (id, part)) PARTITION BY "
         "LIST (part)",
         "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)",
         "CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2)", "INSERT INTO t VALUES (1, 1, 'a'), (2, 1, 'b')",
         "CREATE UNIQUE INDEX ON t1 (id)"},
        all, "UPDATE t SET part = 2 WHERE id = 1 RETURNING id, name"));
    CHECK(reads_post(engine, table({"CREATE VIEW v AS SELECT id, upper(name) AS name, n FROM t"}), all,
                     "UPDATE v SET n = 5 WHERE id < 100 RETURNING id, name"));
    CHECK(reads_post(engine, table({"CREATE VIEW v AS SELECT id, upper(name) AS name, n FROM t"}), all,
                     "UPDATE v SET n = 5 WHERE id < 100 RETURNING *"));
    CHECK(reads_post(engine,
                     table({"CREATE TABLE child () INHERITS (t)", "INSERT INTO child VALUES (4, 'e', 1)"}),
                     all, rename_all));
}

TEST_CASE("PostgreSQL: columns of another table in RETURNING, and rows that a CTE changes") {
    Trial trial(Engine::postgresql, table());
    CHECK_FALSE(reads_post(
        trial, all, "UPDATE ONLY public.t AS u SET name = 'x' WHERE u.id < 100 RETURNING u.name, u.id"));
    CHECK(reads_post(
        trial, all,
        "UPDATE t SET name = 'x' FROM t AS o WHERE o.id = t.n AND t.id < 100 RETURNING t.id, o.name"));
    CHECK_FALSE(reads_post(
        trial, all,
        "UPDATE t SET name = 'x' FROM t AS o WHERE o.id = t.n AND t.id < 100 RETURNING t.id, t.name"));
    CHECK(
        reads_post(trial, all, "DELETE FROM t USING t AS o WHERE o.id = t.n AND t.id > 100 RETURNING o.id"));
    CHECK(reads_post(
        trial, all,
        "WITH d AS (UPDATE t SET name = 'cte' WHERE id = 3 RETURNING id) UPDATE t SET name = 'x' WHERE id < "
        "3 RETURNING id, name"));
    CHECK(reads_post(
        trial, all,
        "WITH d AS (INSERT INTO log VALUES ('x') RETURNING what) UPDATE t SET name = 'x' WHERE id < 100 "
        "RETURNING id, name"));
}

TEST_CASE("SQLite: values that a column may convert have post read") {
    const std::vector<std::string> setup{
        "CREATE TABLE t (id integer PRIMARY KEY, r real, i integer, s text, d datetime, b blob)",
        "INSERT INTO t VALUES (1, 1.5, 1, 'a', NULL, NULL), (2, 2.5, 2, 'b', NULL, NULL)"};
    Trial trial(Engine::sqlite, setup);
    const auto reads = [&](const std::string& assignment) {
        return reads_post(trial, "SELECT * FROM t", "UPDATE t SET " + assignment + " RETURNING *");
    };
    CHECK(reads("r = 3"));  // RETURNING gives 3, and 3.0 is stored
    CHECK(reads("r = '3'"));
    CHECK_FALSE(reads("r = 0.1"));
    CHECK(reads("r = -0.0"));
    CHECK(reads("r = 'three'"));
    CHECK_FALSE(reads("i = '12'"));
    CHECK_FALSE(reads("i = 2.0"));
    CHECK_FALSE(reads("i = 2.5"));
    CHECK_FALSE(reads("s = 5"));
    CHECK_FALSE(reads("s = 5.0"));
    CHECK_FALSE(reads("d = '2026-01-01 10:00:00'"));
    CHECK(reads("d = '2026-01-01'"));
    CHECK_FALSE(reads("b = 1.0"));
    CHECK_FALSE(reads("b = '1'"));
    CHECK_FALSE(reads("b = x'00ff'"));
}

TEST_CASE("SQLite: generated columns, REPLACE, tables without rowid and views") {
    const Engine engine = Engine::sqlite;
    CHECK(reads_post(engine,
                     {"CREATE TABLE t (id integer PRIMARY KEY, name text, g text AS (upper(name)) STORED)",
                      "INSERT INTO t VALUES (1, 'a')"},
                     "SELECT id, g FROM t", "UPDATE t SET name = 'x' RETURNING id, g"));
    CHECK(reads_post(engine, table(), "SELECT id, name FROM t WHERE id = 200",
                     "REPLACE INTO t (id, name) VALUES (200, 'x') RETURNING id, name"));
    CHECK(reads_post(engine,
                     {"CREATE TABLE t (id integer PRIMARY KEY, name text UNIQUE)",
                      "INSERT INTO t VALUES (1, 'a'), (2, 'b')"},
                     "SELECT id, name FROM t WHERE id = 1",
                     "UPDATE OR REPLACE t SET name = 'b' WHERE id = 1 RETURNING id, name"));
    Trial keyed(engine, {"CREATE TABLE t (id text PRIMARY KEY, name text) WITHOUT ROWID",
                         "INSERT INTO t VALUES ('x', 'a'), ('B', 'b')"});
    reads_post(keyed, "SELECT id, name FROM t", "UPDATE t SET name = name || '!' RETURNING id, name");
    CHECK(reads_post(
        engine,
        table({"CREATE VIEW v AS SELECT id, upper(name) AS name FROM t",
               "CREATE TRIGGER i INSTEAD OF UPDATE ON v BEGIN UPDATE t SET name = NEW.name WHERE id = "
               "NEW.id; END"}),
        all, "UPDATE v SET name = 'x' WHERE id < 100 RETURNING id, name"));
}

TEST_CASE("new rows whose order only the database knows have post read") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    Trial trial(engine, {"CREATE TABLE t (id text PRIMARY KEY, name text)"});
    CHECK(reads_post(trial, "SELECT id, name FROM t",
                     "INSERT INTO t VALUES ('b', 'x'), ('A', 'y'), ('a', 'z') RETURNING id, name"));
}
