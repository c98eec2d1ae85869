#include <fmt/format.h>

#include "capture/trial.hpp"

using namespace datachange;
using namespace datachange::test;

namespace {

using Strings = std::vector<std::string>;

const std::string by_range = "UPDATE t SET name = 'new' WHERE n < 100 AND :batch(id) RETURNING id, name";
const std::string by_key = "UPDATE t SET name = 'new' WHERE :affected(id) RETURNING id, name";
const std::string at_once = "UPDATE t SET name = 'new' WHERE n < 100 RETURNING id, name";
const std::string all = "SELECT id, name FROM t WHERE n < 100";
const std::string in_range = all + " AND :batch(id)";

/// Seven rows, of which the last stays as it is; the order in the file is not that of the keys.
Strings table(const Strings& more = {}) {
    Strings setup{
        "CREATE TABLE t (id text PRIMARY KEY, name text, n integer, up text REFERENCES t ON DELETE CASCADE)",
        "CREATE TABLE log (what text)",
        "INSERT INTO t VALUES ('b', 'x', 1, NULL), ('a', 'y', 2, 'b'), ('f', NULL, 3, 'a'), ('c', 'new', 4, "
        "NULL),"
        " ('e', 'x', 5, NULL), ('d', 'z', 6, 'a'), ('g', 'z', 200, 'f')"};
    setup.insert(setup.end(), more.begin(), more.end());
    return setup;
}

Strings trigger(Engine engine, const std::string& when, const std::string& body) {
    if (engine == Engine::sqlite)
        return table({fmt::format("CREATE TRIGGER x {} ON t FOR EACH ROW BEGIN {} END", when, body)});
    return table(
        {fmt::format("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {} RETURN NEW; END$$",
                     body),
         fmt::format("CREATE TRIGGER x {} ON t FOR EACH ROW EXECUTE FUNCTION f()", when)});
}

/// The pieces that a step came in, two rows in each, if they say what one capture says.
int pieces(Engine engine, const Strings& setup, const std::string& pre, const std::string& change,
           const std::string& post = "") {
    INFO(change);
    const WholeTrial trial = Trial(engine, setup).capture_whole(definition_of(pre, change, post), 2);
    CHECK(trial.in_pieces == trial.at_once);
    return trial.pieces;
}

}  // namespace

TEST_CASE("a step comes in pieces by range, by key list, or around one change") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    CHECK(pieces(engine, table(), in_range, by_range) == 3);
    CHECK(pieces(engine, table(), all, by_key) == 3);
    CHECK(pieces(engine, table(), all, at_once) == 3);
    const std::string post = "SELECT id, upper(name) AS name FROM t WHERE :affected(id)";
    CHECK(pieces(engine, table(), in_range, by_range, post) == 3);
    CHECK(pieces(engine, table(), all, by_key, post) == 3);
    CHECK(pieces(engine, table(), all, at_once, post) == 3);
    CHECK(pieces(engine, table(), "SELECT id, n FROM t WHERE id <> 'b'",
                 "DELETE FROM t WHERE id IN ('c', 'e') RETURNING id, n") == 3);
}

TEST_CASE("keys that ascend in file and set are merged, with those that nobody changed") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    const Strings setup{"CREATE TABLE t (id integer PRIMARY KEY, name text)", "CREATE TABLE log (what text)",
                        "INSERT INTO t VALUES (-3, 'a'), (1, 'b'), (2, 'c'), (9, 'd'), (10, 'e'), (11, 'f')"};
    CHECK(pieces(engine, setup, "SELECT id, name FROM t",
                 "UPDATE t SET name = 'x' WHERE id IN (1, 9, 11) RETURNING id, name") == 3);
}

TEST_CASE("rows that the pieces of others touch have the step captured around one change") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    // the rows that a cascade takes are in pre, and in a later piece
    const Strings setup = table();
    CHECK(pieces(engine, setup, "SELECT id, n FROM t WHERE :batch(id)",
                 "DELETE FROM t WHERE id = 'a' AND :batch(id) RETURNING id") > 1);
    const Strings touching =
        trigger(engine, "AFTER UPDATE", "UPDATE t SET n = n + 1 WHERE id = 'a' AND NEW.id = 'e';");
    CHECK(pieces(engine, touching, "SELECT id, name, n FROM t WHERE n < 100 AND :batch(id)",
                 "UPDATE t SET name = 'new' WHERE n < 100 AND :batch(id) RETURNING id, name, n") > 1);
}

TEST_CASE("a statement that looks at other rows of the table sees them as they were") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    CHECK(
        pieces(engine, table(), "SELECT id, n FROM t WHERE n < 100 AND :batch(id)",
               "UPDATE t SET n = (SELECT max(n) + 1 FROM t) WHERE n < 100 AND :batch(id) RETURNING id, n") ==
        3);
}

TEST_CASE("what is wrong is said of the step, not of a piece") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    const auto error = [&](const std::string& pre, const std::string& change) {
        const WholeTrial trial = Trial(engine, table()).capture_whole(definition_of(pre, change), 2);
        CHECK(trial.in_pieces == trial.at_once);
        return trial.in_pieces;
    };
    const std::string too_many = "change touched 3 rows that pre did not return";
    const std::string narrow = "SELECT id, name FROM t WHERE n < 4";
    CHECK_THAT(error(narrow + " AND :batch(id)", by_range), Catch::Contains(too_many));
    CHECK_THAT(error(narrow, at_once), Catch::Contains(too_many));
    CHECK_THAT(
        error("SELECT t.id, t.name FROM t JOIN t AS o ON o.id = 'a' OR o.id = 'b' WHERE t.n < 100", at_once),
        Catch::Contains("pre gave the identifier a more than once"));
    CHECK_THAT(error(in_range, "UPDATE t SET id = id || 'x' WHERE n < 100 AND :batch(id) RETURNING id, name"),
               Catch::Contains("foreign key constraint", Catch::CaseSensitive::No));
}

TEST_CASE("a step that gives rows other keys is captured at once") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    CHECK(pieces(engine,
                 {"CREATE TABLE t (id integer PRIMARY KEY, name text)", "CREATE TABLE log (what text)",
                  "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')"},
                 "SELECT id, name FROM t WHERE :batch(id)",
                 "UPDATE t SET id = id + 10 WHERE :batch(id) RETURNING id, id - 10 AS was_id, name") == 1);
}
