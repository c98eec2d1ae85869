#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Trust = TouchedTables::Trust;

namespace {

Engine each_engine() {
    return GENERATE(Engine::postgresql, Engine::sqlite);
}

std::string schema(const TestDatabase& database) {
    return database.engine() == Engine::postgresql ? "public." : "main.";
}

}  // namespace

TEST_CASE("The witness counts rows by table and kind", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE t (id integer PRIMARY KEY, name text)", "CREATE TABLE u (id integer)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    run(*target, "UPDATE t SET name = name");
    run(*target, "DELETE FROM t WHERE id = 3");
    run(*target, "SELECT * FROM u");
    const TouchedTables touched = target->touched();
    CHECK(touched.trust == Trust::complete);
    CHECK(counts(touched, schema(database) + "t") == "3/3/1");
    CHECK(touched.tables.size() == 1);
}

TEST_CASE("The witness begins anew with every transaction", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)"});
    run(*target, "INSERT INTO t VALUES (100)");
    for (int round = 0; round < 3; ++round) {
        target->begin(round == 1 ? Isolation::read_committed : Isolation::repeatable_read);
        run(*target,
            "INSERT INTO t VALUES (" + std::to_string(round) + "), (" + std::to_string(round + 10) + ")");
        CHECK(counts(target->touched(), schema(database) + "t") == "2/0/0");
        if (round == 0) {
            CHECK(target->commit().outcome == Outcome::committed);
        } else {
            target->rollback();
        }
    }
}

TEST_CASE("The witness sees what triggers and cascades touch", "[contract]") {
    const TestDatabase database(each_engine());
    const bool postgres = database.engine() == Engine::postgresql;
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE parent (id integer PRIMARY KEY)",
                          "CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent (id) "
                          "ON DELETE CASCADE)",
                          "CREATE TABLE audit (id integer)", "INSERT INTO parent VALUES (1), (2)",
                          "INSERT INTO child VALUES (1, 1), (2, 1), (3, 2)"});
    if (postgres) {
        execute_all(*target,
                    {"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
                     "'BEGIN INSERT INTO audit VALUES (OLD.id); RETURN NULL; END'",
                     "CREATE TRIGGER note AFTER DELETE ON parent FOR EACH ROW EXECUTE FUNCTION note()"});
    } else {
        target->query(
            "CREATE TRIGGER note AFTER DELETE ON parent BEGIN INSERT INTO audit VALUES (OLD.id); END");
    }
    target->begin(Isolation::repeatable_read);
    run(*target, "DELETE FROM parent WHERE id = 1 RETURNING id");
    const TouchedTables touched = target->touched();
    CHECK(counts(touched, schema(database) + "parent") == "0/0/1");
    CHECK(counts(touched, schema(database) + "child") == "0/0/2");
    CHECK(counts(touched, schema(database) + "audit") == "1/0/0");
}

TEST_CASE("The witness leaves out the journal and the tool's temporary tables", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    target->set_journal_schema("");
    execute_all(*target,
                {"CREATE TABLE datachange_runs (id integer)", "CREATE TABLE datachange_batches (id integer)",
                 "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)",
                 "CREATE TEMPORARY TABLE mine (id integer)"});
    target->begin(Isolation::repeatable_read);
    execute_all(*target, {"INSERT INTO datachange_runs VALUES (1)",
                          "INSERT INTO datachange_batches VALUES (1)", "INSERT INTO mine VALUES (1)"});
    const std::vector<Key> keys{{Value::integer(1)}};
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = {"integer"};
    target->query(with_macro("UPDATE t SET id = 2 WHERE ", SqlPiece::Kind::affected, {"id"}), scope);
    const TouchedTables touched = target->touched();
    CHECK(touched.tables.size() == 1);
    CHECK(counts(touched, schema(database) + "t") == "0/1/0");
}

TEST_CASE("Without a transaction that writes there is no witness", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    CHECK(target->touched().trust == Trust::unavailable);
    target->begin(Isolation::read_only);
    CHECK(target->touched().trust == Trust::unavailable);
    CHECK(!target->touched().reason.empty());
}

TEST_CASE("The witness sees what a statement without RETURNING touches in several tables", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE parent (id integer PRIMARY KEY)",
                          "CREATE TABLE renamed (parent integer REFERENCES parent (id) ON UPDATE CASCADE)",
                          "CREATE TABLE orphan (parent integer REFERENCES parent (id) ON UPDATE SET NULL)",
                          "INSERT INTO parent VALUES (1), (2)", "INSERT INTO renamed VALUES (1), (1), (2)",
                          "INSERT INTO orphan VALUES (1), (2), (2)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "UPDATE parent SET id = 3 WHERE id = 1");
    const TouchedTables touched = target->touched();
    CHECK(counts(touched, schema(database) + "parent") == "0/1/0");
    CHECK(counts(touched, schema(database) + "renamed") == "0/2/0");
    CHECK(counts(touched, schema(database) + "orphan") == "0/1/0");
    CHECK(touched.trust == Trust::complete);
}

TEST_CASE("The witness sees what is written through a view", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY, n integer)", "INSERT INTO t VALUES (1, 0)",
                          "CREATE VIEW v AS SELECT * FROM t"});
    if (database.engine() == Engine::sqlite) {
        target->query(
            "CREATE TRIGGER through INSTEAD OF UPDATE ON v BEGIN UPDATE t SET n = NEW.n WHERE id = NEW.id; "
            "END");
    }
    target->begin(Isolation::repeatable_read);
    run(*target, "UPDATE v SET n = 1");
    CHECK(counts(target->touched(), schema(database) + "t") == "0/1/0");
    CHECK(target->touched().tables.size() == 1);
}
