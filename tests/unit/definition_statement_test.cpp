#include "definition/statement.hpp"

#include "definition_text.hpp"

using namespace datachange;

namespace {

std::vector<ChangeStatement> changes(const std::string& sql, Engine engine = Engine::postgresql,
                                     const std::string& header = "") {
    const std::string text =
        header + "-- table: t\n-- identifier: id\n-- audit:pre\nSELECT id FROM t\n-- audit:change\n" + sql;
    return parse(text, engine).steps.at(0).change;
}

ChangeStatement change(const std::string& sql, Engine engine = Engine::postgresql,
                       const std::string& header = "") {
    const auto all = changes(sql, engine, header);
    REQUIRE(all.size() == 1);
    return all.front();
}

/// The SQL, with « at the place of the mistake, stands in `change`.
void check_change(const std::string& sql, const std::string& message, const std::string& hint,
                  Engine engine = Engine::postgresql, const std::string& header = "") {
    check_mistake(
        header + "-- table: t\n-- identifier: id\n-- audit:pre\nSELECT id FROM t\n-- audit:change\n" + sql,
        message, hint, engine);
}

void check_pre(const std::string& sql, const std::string& message, const std::string& hint,
               Engine engine = Engine::postgresql) {
    check_mistake("-- table: t\n-- identifier: id\n-- audit:pre\n" + sql +
                      "\n-- audit:change\nDELETE FROM t RETURNING id;",
                  message, hint, engine);
}

std::vector<std::string> split(const std::string& sql, Engine engine) {
    std::vector<std::string> statements;
    for (const Statement& statement : split_statements(lex(sql, engine), engine)) {
        const std::size_t begin = statement.tokens.front().offset;
        statements.push_back(sql.substr(begin, statement.tokens.back().end() - begin));
    }
    return statements;
}

using Texts = std::vector<std::string>;
constexpr const char* returning_none = "-- returning: none\n";

}  // namespace

TEST_CASE("a section is split at the semicolons between statements") {
    for (const Engine engine : {Engine::postgresql, Engine::sqlite}) {
        CHECK(split("a; b ;c", engine) == Texts{"a", "b", "c"});
        CHECK(split(";;a;;", engine) == Texts{"a"});
        CHECK(split("a ';' \";\" /* ; */ b -- ;\n; c", engine) == Texts{"a ';' \";\" /* ; */ b", "c"});
        CHECK(split("-- prose; here\na -- tail\n", engine) == Texts{"a"});
        CHECK(split("-- prose\n/*+ hint */ a", engine) == Texts{"/*+ hint */ a"});
        CHECK(split("-- prose\n/* alone */", engine).empty());
        CHECK(split("f(a; b); c", engine) == Texts{"f(a; b)", "c"});
    }
    CHECK(split("SELECT $$;$$, E'\\';'; x[1:2]", Engine::postgresql) ==
          Texts{"SELECT $$;$$, E'\\';'", "x[1:2]"});
    CHECK(split("[;] `;`; b", Engine::sqlite) == Texts{"[;] `;`", "b"});
}

TEST_CASE("the body of a SQLite trigger stays whole") {
    const std::string trigger =
        "CREATE TEMP TRIGGER tr AFTER UPDATE ON t BEGIN\n"
        "  UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END;\n  DELETE FROM u WHERE end = 1;\nEND";
    CHECK(split(trigger + "; DELETE FROM t", Engine::sqlite) == Texts{trigger, "DELETE FROM t"});
    CHECK(split("CREATE TABLE x (begin, trigger); a", Engine::sqlite).size() == 2);
}

TEST_CASE("the body of a PostgreSQL function stays whole") {
    const std::string function =
        "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; "
        "END";
    CHECK(split(function + "; a", Engine::postgresql) == Texts{function, "a"});
    CHECK(split("CREATE PROCEDURE p() BEGIN ATOMIC END; a", Engine::postgresql).size() == 2);
    CHECK(split("CREATE FUNCTION f() AS $$ BEGIN; END $$; a", Engine::postgresql).size() == 2);
}

TEST_CASE("a body without END is refused") {
    check_change("CREATE TRIGGER tr AFTER UPDATE ON t «BEGIN SELECT 1;", "this body has no END", "END",
                 Engine::sqlite);
    check_change("CREATE FUNCTION f() BEGIN «ATOMIC SELECT 1;", "this body has no END", "END");
}

TEST_CASE("parentheses that do not match are refused") {
    check_pre("SELECT «(1", "this ( is never closed", "");
    check_pre("SELECT 1«)", "this ) closes nothing", "Remove it");
    check_pre("SELECT a[1«)", "this ) closes nothing", "Open is the [ at 4:9.");
    check_pre("SELECT (a«]", "this ] closes nothing", "Open is the ( at 4:8.");
}

TEST_CASE("a query section holds one query") {
    check_pre("SELECT 1; «SELECT 2", "audit:pre holds exactly one statement, and a second one begins here",
              "");
    check_pre("«UPDATE t SET a = 1", "audit:pre holds a query, not UPDATE",
              "SELECT, WITH ... SELECT or VALUES");
    check_pre("«SHOW all", "audit:pre holds a query, not SHOW", "");
    check_pre("«WITH", "audit:pre holds a query, not WITH", "");
    check_pre("«TABLE t", "audit:pre holds a query, not TABLE", "", Engine::sqlite);
    check_mistake(with("SELECT count(*) AS total FROM users", "«DELETE FROM users"),
                  "audit:summary holds a query", "");
    check_mistake(with("SELECT id FROM users WHERE name = ''", "«VACUUM"), "VACUUM is not allowed", "");
    for (const char* query :
         {"SELECT id FROM t", "(SELECT id FROM t)", "((SELECT id FROM t) UNION SELECT 1)", "VALUES (1)",
          "TABLE t", "WITH a AS (SELECT 1) SELECT id FROM t", "WITH a AS (VALUES (1)) TABLE t",
          "with recursive a(n) as materialized (select 1), b as (select 2) select id from t",
          "WITH delete AS (SELECT 1), insert AS (SELECT 2) SELECT id FROM t",
          "WITH RECURSIVE a AS (SELECT 1) SEARCH DEPTH FIRST BY x, y SET o CYCLE x SET c USING p SELECT 1"}) {
        INFO(query);
        parse(std::string{"-- table: t\n-- identifier: id\n-- audit:pre\n"} + query +
              "\n-- audit:change\nDELETE FROM t RETURNING id");
    }
}

TEST_CASE("a query section changes nothing") {
    check_pre("WITH a AS («DELETE FROM t RETURNING id) SELECT * FROM a",
              "audit:pre must change nothing, but this DELETE does", "audit:change");
    check_pre("WITH a AS (SELECT 1), b AS («insert into t values (1)) SELECT 1", "but this INSERT does",
              "audit:change");
    check_pre("WITH a AS (WITH b AS («MERGE INTO t) SELECT 1) SELECT 1", "but this MERGE does", "");
    check_pre("SELECT id «INTO x FROM t", "SELECT INTO makes a table", "Remove INTO");
}

TEST_CASE("change statements are told apart") {
    CHECK(change("UPDATE t SET a = 1 RETURNING id").verb == "UPDATE");
    CHECK(change("delete from t returning id").verb == "DELETE");
    const ChangeStatement cte =
        change("WITH a AS (SELECT 1) DELETE FROM t WHERE x IN (SELECT * FROM a) RETURNING id");
    CHECK(cte.verb == "DELETE");
    CHECK(cte.changes_data);
    CHECK(cte.has_returning);
    CHECK_FALSE(cte.plain_insert);
    const ChangeStatement moved = change(
        "WITH gone AS (DELETE FROM t RETURNING *), kept AS (INSERT INTO u SELECT * FROM gone) SELECT id FROM "
        "gone");
    CHECK(moved.verb == "SELECT");
    CHECK(moved.changes_data);
    CHECK_FALSE(moved.has_returning);
    const auto several = changes(
        "CREATE TEMP TABLE x (a int); SELECT 1; LOCK TABLE t; SET CONSTRAINTS ALL DEFERRED;"
        "DELETE FROM t RETURNING id;");
    REQUIRE(several.size() == 5);
    CHECK(several[0].verb == "CREATE");
    CHECK_FALSE(several[0].changes_data);
    CHECK_FALSE(several[1].changes_data);
    CHECK(several[4].changes_data);
    CHECK(change("REPLACE INTO t VALUES (1) RETURNING id", Engine::sqlite).verb == "REPLACE");
}

TEST_CASE("inserts that leave rows alone are told from upserts") {
    const auto plain = [](const std::string& sql, Engine engine) {
        return change(sql + " RETURNING id", engine).plain_insert;
    };
    CHECK(plain("INSERT INTO t SELECT 1", Engine::postgresql));
    CHECK(plain("INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING", Engine::postgresql));
    CHECK(plain("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", Engine::postgresql));
    CHECK_FALSE(plain("INSERT INTO t SELECT 1 ON CONFLICT (id) DO UPDATE SET a = 1", Engine::postgresql));
    CHECK_FALSE(plain("UPDATE t SET a = 1", Engine::postgresql));
    CHECK(plain("INSERT OR IGNORE INTO t VALUES (1)", Engine::sqlite));
    CHECK_FALSE(plain("INSERT OR REPLACE INTO t VALUES (1)", Engine::sqlite));
    CHECK_FALSE(plain("REPLACE INTO t VALUES (1)", Engine::sqlite));
}

TEST_CASE("a change without RETURNING is refused") {
    check_change("DELETE FROM t RETURNING id;\n«UPDATE t SET a = 1",
                 "the UPDATE in audit:change has no RETURNING", "Add RETURNING id, ... to it.");
    check_change("«WITH a AS (DELETE FROM u RETURNING id) INSERT INTO t SELECT * FROM a",
                 "the INSERT in audit:change has no RETURNING", "Add RETURNING id");
    check_change("«UPDATE t SET a = (SELECT 1 AS returning)", "has no RETURNING", "");
    check_change("«UPDATE t SET a = u.returning FROM u", "has no RETURNING", "");
    check_change("«MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
                 "the MERGE in audit:change has no RETURNING", "PostgreSQL 17");
}

TEST_CASE("with returning: none there is no RETURNING") {
    check_change("DELETE FROM t «RETURNING id",
                 "RETURNING has no place where the header says returning: none", "Remove it",
                 Engine::postgresql, returning_none);
    const auto all = changes("DO $$ BEGIN PERFORM 1; END $$; CALL p(1); TRUNCATE t; DELETE FROM t;",
                             Engine::postgresql, returning_none);
    REQUIRE(all.size() == 4);
    for (const ChangeStatement& statement : all) CHECK(statement.changes_data);
}

TEST_CASE("statements that cannot return rows need returning: none") {
    check_change("«DO $$ BEGIN END $$", "DO cannot say which rows it changes", "Add `-- returning: none`");
    check_change("«CALL p()", "CALL cannot say which rows it changes", "Add `-- returning: none`");
    check_change("«TRUNCATE t", "TRUNCATE cannot say which rows it changes", "Add `-- returning: none`");
}

TEST_CASE("a change that changes nothing is refused") {
    check_change("«SELECT fix_names(); SELECT 1;", "nothing in audit:change changes data", "DO block");
}

TEST_CASE("transactions are not the definition's to open or end") {
    for (const char* verb : {"BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ABORT",
                             "SAVEPOINT a", "RELEASE a", "rollback to a"}) {
        const std::string name = upper(std::string{verb}.substr(0, std::string{verb}.find(' ')));
        check_change(std::string{"DELETE FROM t RETURNING id; «"} + verb + ";",
                     name + " is not allowed in a definition", "opened and ended around the definition");
    }
    check_change("«PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION is not allowed", "opened and ended");
    check_change("INSERT «OR ROLLBACK INTO t VALUES (1) RETURNING id", "OR ROLLBACK is not allowed",
                 "OR ABORT", Engine::sqlite);
    check_change("UPDATE «OR ROLLBACK t SET a = 1 RETURNING id", "OR ROLLBACK is not allowed", "OR ABORT",
                 Engine::sqlite);
    check_pre("«COMMIT", "COMMIT is not allowed in a definition", "");
    CHECK(change("UPDATE t SET a = 1 WHERE b OR rollback RETURNING id").changes_data);
}

TEST_CASE("the session and its databases stay as they are") {
    for (const char* verb :
         {"ATTACH 'x' AS y", "DETACH y", "PRAGMA foreign_keys = off", "VACUUM", "SET work_mem = 1",
          "SET LOCAL work_mem = 1", "RESET ALL", "DISCARD ALL", "LISTEN x", "UNLISTEN x", "NOTIFY x",
          "SET TRANSACTION READ ONLY", "SET ROLE x", "DEALLOCATE x"}) {
        const std::string name = upper(std::string{verb}.substr(0, std::string{verb}.find(' ')));
        check_change(std::string{"«"} + verb, name + " is not allowed in a definition", "stay as they are");
    }
    check_change("SELECT pg_catalog.«set_config('x', 'y', true)", "set_config() is not allowed", "");
    check_pre("SELECT «\"set_config\" ('x', 'y', true)", "set_config() is not allowed", "");
}

TEST_CASE("statements that cannot be audited are refused with what to write instead") {
    check_change("«COPY t FROM stdin", "COPY is not allowed", "Use INSERT");
    check_change("«EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN is not allowed", "Write the statement itself");
    check_change("«EXECUTE p(1)", "EXECUTE is not allowed", "Write the statement itself");
    check_change("«PREPARE p AS DELETE FROM t", "PREPARE is not allowed", "Write the statement itself");
    check_change("CREATE UNIQUE INDEX «CONCURRENTLY i ON t (a)", "CONCURRENTLY is not allowed",
                 "before or after");
    check_change("DROP INDEX «CONCURRENTLY i", "CONCURRENTLY is not allowed", "before or after");
    check_change("REINDEX INDEX «concurrently i", "CONCURRENTLY is not allowed", "before or after");
}

TEST_CASE("undo holds statements, with or without RETURNING") {
    const Step step =
        parse(good_definition + "-- audit:undo\nUPDATE users SET name = NULL;\nSELECT 1;").steps.at(0);
    REQUIRE(step.undo.size() == 2);
    CHECK(step.undo[0].verb == "UPDATE");
    CHECK(step.undo[0].changes_data);
    CHECK_FALSE(step.undo[0].has_returning);
    check_mistake(good_definition + "-- audit:undo\n«COMMIT;", "COMMIT is not allowed", "");
}
