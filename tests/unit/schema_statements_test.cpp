#include "migrate/schema_statements.hpp"

#include "core/hash.hpp"
#include "migrate/schema_header.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

using Texts = std::vector<std::string>;

SchemaFile file_of(const std::string& text, bool transactional = true) {
    return {"20260101000000", "change", "db/20260101000000_change.sql", sha256(text), text, transactional};
}

Texts statements(const std::string& text, Engine engine, bool transactional = true) {
    Texts texts;
    for (const SchemaStatement& statement : schema_statements(file_of(text, transactional), engine))
        texts.push_back(statement.sql);
    return texts;
}

void check_refused(const std::string& text, Engine engine, const std::string& place,
                   const std::string& message, bool transactional = true) {
    INFO(text);
    try {
        schema_statements(file_of(text, transactional), engine);
        FAIL("not refused");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::usage);
        CHECK(error.where().rfind("db/20260101000000_change.sql:" + place, 0) == 0);
        CHECK(std::string{error.what()}.find(message) != std::string::npos);
        CHECK_FALSE(error.hint().empty());
    }
}

}  // namespace

TEST_CASE("a schema migration is cut into statements that stand as they were written") {
    CHECK(statements("-- why\nCREATE TABLE a (x int); -- then\n\nALTER TABLE a\n  ADD y int;\n;",
                     Engine::postgresql) == Texts{"CREATE TABLE a (x int)", "ALTER TABLE a\n  ADD y int"});
    CHECK(statements("INSERT INTO a VALUES (';', $$;$$, $x$ $$;$$ $x$)", Engine::postgresql) ==
          Texts{"INSERT INTO a VALUES (';', $$;$$, $x$ $$;$$ $x$)"});
}

TEST_CASE("macros mean nothing in a schema migration") {
    const std::string sql =
        "CREATE VIEW v AS SELECT a[1:n], ':batch(id)', x::text FROM t WHERE :batch(id) AND :affected";
    CHECK(statements(sql, Engine::postgresql) == Texts{sql});
}

TEST_CASE("bodies of triggers, functions and rules hold semicolons of their own") {
    const std::string trigger =
        "CREATE TRIGGER t AFTER INSERT ON a WHEN new.x > 0 BEGIN\n  UPDATE a SET y = CASE x WHEN 1 THEN 2 "
        "ELSE 3 END;\n"
        "  DELETE FROM b;\nEND";
    CHECK(statements(trigger + ";\nCREATE INDEX i ON a (x);", Engine::sqlite) ==
          Texts{trigger, "CREATE INDEX i ON a (x)"});
    const std::string atomic =
        "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n"
        "  INSERT INTO a VALUES (CASE WHEN x > 0 THEN 1 END);\n  SELECT CASE x WHEN 1 THEN 2 END;\nEND";
    CHECK(statements(atomic + ";\nDROP TABLE b", Engine::postgresql) == Texts{atomic, "DROP TABLE b"});
    const std::string empty = "CREATE PROCEDURE p() BEGIN ATOMIC END";
    CHECK(statements(empty + "; DROP TABLE b", Engine::postgresql) == Texts{empty, "DROP TABLE b"});
    const std::string block = "DO $$ BEGIN PERFORM 1; COMMIT; END $$";
    CHECK(statements(block + ";", Engine::postgresql) == Texts{block});
    const std::string rule = "CREATE RULE r AS ON DELETE TO a DO INSTEAD (DELETE FROM b; DELETE FROM c)";
    CHECK(statements(rule + ";", Engine::postgresql) == Texts{rule});
}

TEST_CASE("statements know where they stand") {
    const auto found = schema_statements(file_of("-- why\n\nSELECT 1;\n  SELECT 2;"), Engine::sqlite);
    REQUIRE(found.size() == 2);
    CHECK(found[0].at.line == 3);
    CHECK(found[1].at.line == 4);
    CHECK(found[1].at.column == 3);
}

TEST_CASE("what would end the transaction or alter the session is refused where it stands") {
    for (const char* sql : {"BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT a",
                            "RELEASE a", "PREPARE TRANSACTION 'a'", "SET search_path = x", "RESET ALL",
                            "DISCARD ALL", "LISTEN a", "CREATE INDEX CONCURRENTLY i ON a (x)", "VACUUM a",
                            "SELECT set_config('search_path', '', false)", "COPY a FROM STDIN"}) {
        check_refused(std::string{"SELECT 1;\n"} + sql + ";", Engine::postgresql,
                      "2:", "is not allowed in a schema migration");
    }
    check_refused("ATTACH 'x' AS y", Engine::sqlite, "1:1", "ATTACH is not allowed");
    check_refused("PRAGMA foreign_keys = OFF", Engine::sqlite, "1:1", "PRAGMA foreign_keys is not allowed");
    check_refused("PRAGMA journal_mode = WAL", Engine::sqlite, "1:1", "PRAGMA journal_mode is not allowed");
    check_refused("BEGIN; SELECT 1", Engine::sqlite, "1:1", "BEGIN is not allowed", false);
}

TEST_CASE("what holds for the transaction alone is let through") {
    for (const char* sql : {"SET LOCAL lock_timeout = '2s'", "SET CONSTRAINTS ALL DEFERRED",
                            "COPY a FROM '/srv/a.csv'", "CREATE INDEX i ON a (concurrently)"})
        CHECK(statements(sql, Engine::postgresql) == Texts{sql});
    CHECK(statements("PRAGMA main.user_version = 3", Engine::sqlite).size() == 1);
    CHECK(statements("PRAGMA journal_mode = WAL", Engine::sqlite, false).size() == 1);
    CHECK(statements("VACUUM; CREATE INDEX CONCURRENTLY i ON a (x)", Engine::postgresql, false).size() == 2);
}

TEST_CASE("another role for the file is taken back before the journal is written") {
    const auto back = [](const char* sql) {
        return schema_statements(file_of(sql), Engine::postgresql).front().taken_back_by;
    };
    CHECK(back("SET LOCAL ROLE owner") == "RESET ROLE");
    CHECK(back("set local session authorization owner") == "RESET SESSION AUTHORIZATION");
    CHECK(back("SET LOCAL lock_timeout = 1").empty());
}

TEST_CASE("what is no plain SQL that goes forward is refused") {
    check_refused("\\connect other\nSELECT 1", Engine::postgresql, "1:1", "psql commands are not supported");
    check_refused("-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;", Engine::sqlite, "3:1",
                  "the part for going back would be executed as well");
    check_refused("SELECT 1;\n-- +goose Down\nSELECT 2;", Engine::sqlite, "2:1", "the part for going back");
    check_refused("-- audit:pre\nSELECT 1;", Engine::sqlite, "1:1", "this is a definition");
    check_refused("-- nothing\n;", Engine::sqlite, "1:1", "has no statement");
    check_refused(std::string("SELECT 1;\n\0", 11), Engine::sqlite, "2:1", "a NUL byte");
    check_refused("SELECT 'a", Engine::sqlite, "1:8", "never closed");
}

TEST_CASE("the one header key is read, and nothing that looks like it passes in silence") {
    using Kind = SchemaComment::Kind;
    const auto kind_of = [](const char* comment) {
        INFO(comment);
        const auto read = read_schema_comment(comment);
        REQUIRE(read);
        return read->kind;
    };
    CHECK(read_schema_comment("-- transaction: no")->says_no());
    CHECK(read_schema_comment("--transaction:no")->says_no());
    CHECK_FALSE(read_schema_comment("-- transaction: yes")->says_no());
    CHECK(kind_of("-- transaction: none") == Kind::wrong_value);
    CHECK(kind_of("-- Transaction: no") == Kind::wrong_value);
    CHECK(kind_of("-- transaction: no, because of the index") == Kind::wrong_value);
    CHECK(kind_of("-- transactions: no") == Kind::near);
    CHECK(kind_of("-- transactional: no") == Kind::near);
    CHECK(kind_of("-- tranaction: no") == Kind::near);
    for (const char* free : {"-- one transaction", "-- author: Anna", "-- ticket: OPS-1", "-- see http://x/y",
                             "--", "-- safe: no"})
        CHECK_FALSE(read_schema_comment(free).has_value());
}

TEST_CASE("a header line behind a statement is an error") {
    check_refused("SELECT 1;\n-- transaction: no\nSELECT 2;", Engine::sqlite, "2:1",
                  "stands behind a statement");
    check_refused("-- transaction: maybe\nSELECT 1;", Engine::sqlite, "1:1",
                  "a header line is not written so");
    check_refused("-- transactional: no\nSELECT 1;", Engine::sqlite, "1:1", "unknown header key");
}
