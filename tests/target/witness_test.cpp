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

/// "inserted/updated/deleted" of a table, "-" if it is not told of.
std::string counts(const TouchedTables& touched, const std::string& table) {
    const auto found = touched.tables.find(table);
    if (found == touched.tables.end()) return "-";
    return std::to_string(found->second.inserted) + "/" + std::to_string(found->second.updated) + "/" +
           std::to_string(found->second.deleted) + (found->second.truncated ? " truncated" : "");
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
