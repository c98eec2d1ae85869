#include "definition_text.hpp"

using namespace datachange;

namespace {

Step step_with(const std::string& header, Engine engine = Engine::postgresql) {
    return parse(with("-- ticket: OPS-1234", header), engine).steps.at(0);
}

void check_value(const std::string& key, const std::string& value, const std::string& message,
                 const std::string& hint) {
    check_mistake(with("-- ticket: OPS-1234", "-- " + key + ": " + value), message, hint);
}

}  // namespace

TEST_CASE("a header sets the file and its step") {
    const Definition definition = parse(with(
        "-- ticket: OPS-1234",
        "-- ticket: OPS-1234\n-- author: the events team\n-- targets: prod, eu-west_1\n-- repeatable: yes\n"
        "-- foreign-keys: off\n-- note: first\n-- note: second: with a colon\n-- batch-size: 500\n"
        "-- expect-rows: 1..5000\n-- requires: users.first_name, App.\"User\".Email\n-- on-missing: skip\n"
        "-- on-error: skip\n-- transaction: batched\n-- evidence: keys\n-- batch-safe: one row a group\n"
        "-- collateral: songs, app.\"Mood\"\n-- redact: Email, \"Phone\""));
    CHECK(definition.path == "audits/20260131120000_names.sql");
    CHECK(definition.version == "20260131120000");
    CHECK(definition.name == "names");
    CHECK(definition.sha256.size() == 64);
    CHECK(definition.ticket == "OPS-1234");
    CHECK(definition.author == "the events team");
    CHECK(definition.targets == std::vector<std::string>{"prod", "eu-west_1"});
    CHECK(definition.repeatable);
    CHECK_FALSE(definition.foreign_keys);
    CHECK(definition.note == "first\nsecond: with a colon");
    const Step& step = definition.steps.at(0);
    CHECK(step.number == 1);
    CHECK(step.name.empty());
    CHECK(step.table == "users");
    CHECK(step.identifier == std::vector<std::string>{"id"});
    CHECK(step.batch_size == 500U);
    CHECK(step.expect_rows->least == 1);
    CHECK(step.expect_rows->most == 5000U);
    REQUIRE(step.required_columns.size() == 2);
    CHECK(step.required_columns[0].table == "users");
    CHECK(step.required_columns[0].column == "first_name");
    CHECK(step.required_columns[1].table == "App.\"User\"");
    CHECK(step.required_columns[1].column == "email");
    CHECK(step.required_columns[1].at.line == 11);
    CHECK(step.required_columns[1].at.column == 32);
    CHECK(step.on_missing == OnMissing::skip);
    CHECK(step.on_error == OnError::skip);
    CHECK(step.transaction == TransactionWish::batched);
    CHECK(step.evidence == EvidenceLevel::keys);
    CHECK(step.batch_safe == "one row a group");
    CHECK(step.collateral == std::vector<std::string>{"songs", "app.\"Mood\""});
    CHECK(step.redact == std::vector<std::string>{"email", "Phone"});
}

TEST_CASE("what a header leaves out has its default") {
    const Definition definition = parse(with("-- ticket: OPS-1234\n", ""));
    CHECK(definition.foreign_keys);
    CHECK_FALSE(definition.repeatable);
    const Step& step = definition.steps.at(0);
    CHECK_FALSE(step.batch_size);
    CHECK_FALSE(step.expect_rows);
    CHECK(step.transaction == TransactionWish::automatic);
    CHECK(step.evidence == EvidenceLevel::full);
    CHECK_FALSE(step.returning_none);
}

TEST_CASE("comments that are no header lines are free text") {
    for (const char* comment :
         {"-- see https://example.org/x", "-- https://example.org", "-- Why: because", "-- 12:30",
          "-- key:value", "-- a note : with a colon", "-- ---------", "-- --: x", "--", "-- :x",
          "/* ticket: X\n-- tikcet: X */", "-- note that ticket: X is free text"}) {
        INFO(comment);
        const Definition definition = parse(with("-- ticket: OPS-1234", comment));
        CHECK(definition.ticket.empty());
        CHECK(definition.note.empty());
    }
}

TEST_CASE("a header may have blanks, CRLF ends of line and no blank behind the colon") {
    const Definition definition =
        parse(with("-- ticket: OPS-1234\n", "  --ticket:OPS-1\r\n\t-- author:  me  \r\n"));
    CHECK(definition.ticket == "OPS-1");
    CHECK(definition.author == "me");
}

TEST_CASE("a file may begin with a byte order mark") {
    CHECK(parse("\xEF\xBB\xBF-- ticket: X\n" + with("-- ticket: OPS-1234\n", "")).ticket == "X");
}

TEST_CASE("an unknown header key is refused with the one that was meant") {
    check_mistake(with("-- ticket: OPS", "-- «tikcet: OPS"), "unknown header key \"tikcet\"",
                  "did you mean ticket?");
    check_mistake(with("-- ticket: OPS", "-- «tikcet:OPS"), "unknown header key \"tikcet\"",
                  "did you mean ticket?");
    check_mistake(with("-- ticket: OPS", "-- «expected-rows: 5"), "unknown header key",
                  "did you mean expect-rows?");
    check_mistake(with("-- ticket: OPS", "-- «zzz: OPS"), "unknown header key \"zzz\"",
                  "The keys are ticket, author");
}

TEST_CASE("a header key written otherwise is refused rather than ignored") {
    check_mistake(with("-- ticket:", "-- «Ticket:"), "the header key ticket is not written \"Ticket:\"",
                  "Write `-- ticket:`");
    check_mistake(with("-- ticket:", "-- «ticket :"), "the header key ticket is not written \"ticket :\"",
                  "without a blank before the colon");
    check_mistake(with("-- ticket: OPS-1234", "-- «batch_size: 5"),
                  "the header key batch-size is not written", "Write `-- batch-size:`");
}

TEST_CASE("a header key without value is refused") {
    check_mistake(with("-- ticket: OPS-1234", "-- «ticket:"), "ticket has no value", "Write one");
}

TEST_CASE("a header key given twice is refused, save for notes") {
    check_mistake(with("-- table: users", "-- table: users\n-- «ticket: X"),
                  "ticket is given twice in one header", "line 2");
}

TEST_CASE("each header value is looked at") {
    check_value("batch-size", "«0", "batch-size is no number of rows: 0", "whole number from 1");
    check_value("batch-size", "«5k", "batch-size is no number of rows: 5k", "whole number");
    check_value("batch-size", "«-5", "batch-size is no number of rows", "whole number");
    check_value("batch-size", "«99999999999999999999", "batch-size is no number of rows", "whole number");
    check_value("expect-rows", "«many", "expect-rows gives no bounds: many",
                "Write 1..5000, 1.., ..5000 or 12");
    check_value("expect-rows", "«..", "expect-rows gives no bounds", "1..5000");
    check_value("expect-rows", "«1-5", "expect-rows gives no bounds", "1..5000");
    check_value("expect-rows", "«1...5", "expect-rows gives no bounds", "1..5000");
    check_value("expect-rows", "«5..1", "expect-rows wants at least 5 and at most 1",
                "lesser number stands first");
    check_value("on-missing", "«ignore", "on-missing cannot be \"ignore\"", "It is fail or skip.");
    check_value("on-error", "«Stop", "on-error cannot be \"Stop\"", "It is stop or skip.");
    check_value("transaction", "«one", "transaction cannot be \"one\"", "It is single or batched or auto.");
    check_value("evidence", "«some", "evidence cannot be \"some\"", "It is full or keys or counts.");
    check_value("returning", "«id", "returning cannot be \"id\"", "It is none.");
    check_value("repeatable", "«true", "repeatable cannot be \"true\"", "It is yes or no.");
    check_value("foreign-keys", "«no", "foreign-keys cannot be \"no\"", "It is on or off.");
    check_value("targets", "«prod, the other", "targets are no names of groups", "letters, digits, - and _");
    check_value("requires", "users.name, «email", "requires names columns with their table, not email",
                "Write table.column");
    check_value("requires", "«a.b.c.d", "requires names columns with their table", "schema.table.column");
    check_value("collateral", "songs,«", "a name is missing", "Names are written as in SQL");
    check_value("collateral", "«a.b.c", "at most a schema", "Names are written as in SQL");
    check_value("redact", "users.email, «'x'", "'x' is no name", "Names are written as in SQL");
    check_value("redact", "«users.email", "columns are named here without a table: users.email", "");
    check_value("redact", "email, «EMAIL", "EMAIL is named twice", "");
    check_value("redact", "email «phone", "phone is not expected here", "separated by commas");
    check_value("redact", "«\"\"", "this name is empty", "");
    check_value("redact", "«U&\"x\"", "names with Unicode escapes are not supported", "");
    check_value("redact", "a, «\"b", "this quoted name is never closed", "");
}

TEST_CASE("table and identifier are SQL names") {
    check_mistake(with("-- table: users", "-- table: users, «songs"), "one table is named here", "");
    check_mistake(with("-- table: users", "-- table: «a.b.c"), "at most a schema", "");
    check_mistake(with("-- identifier: id", "-- identifier: «u.id"), "columns are named here without a table",
                  "");
    check_mistake(with("-- identifier: id", "-- identifier: id «-- the key"), "is not expected here", "");
    CHECK(step_with("-- redact: x").identifier == std::vector<std::string>{"id"});
    const std::string quoted = with("-- identifier: id", "-- identifier: Id");
    CHECK(parse(quoted, Engine::sqlite).steps.at(0).identifier.at(0) == "Id");
    CHECK(parse(quoted, Engine::postgresql).steps.at(0).identifier.at(0) == "id");
}

TEST_CASE("bounds of rows may be open, or one number") {
    CHECK(step_with("-- expect-rows: 3..").expect_rows->least == 3);
    CHECK_FALSE(step_with("-- expect-rows: 3..").expect_rows->most);
    CHECK(step_with("-- expect-rows: ..7").expect_rows->least == 0);
    CHECK(step_with("-- expect-rows: ..7").expect_rows->most == 7U);
    CHECK(step_with("-- expect-rows: 12").expect_rows->least == 12);
    CHECK(step_with("-- expect-rows: 12").expect_rows->most == 12U);
    CHECK(step_with("-- expect-rows: 1 .. 5").expect_rows->most == 5U);
}

TEST_CASE("an identifier cannot be redacted") {
    check_mistake(with("-- audit:pre", "-- redact: id\n«-- audit:pre"), "id is both identifier and redacted",
                  "Rows could not be named any more");
    check_mistake(with("-- audit:pre", "-- redact: ID\n«-- audit:pre"), "both identifier and redacted", "",
                  Engine::sqlite);
}

TEST_CASE("a header key behind a section directive is refused") {
    check_mistake(with("SELECT id, name FROM users WHERE name IS NULL",
                       "«-- table: users\nSELECT id FROM users WHERE true"),
                  "header keys stand before the first section", "audit:pre is under way");
}

TEST_CASE("within a section, comments that look like header lines are comments") {
    CHECK(parse(with("WHERE name IS NULL AND :batch(id)\n", "\n-- table: x\n-- zzz: x\nWHERE :batch(id)\n"))
              .steps.size() == 1);
    CHECK(parse(with("UPDATE", "-- zzz: no key\n-- Table: no key\nUPDATE")).steps.at(0).table == "users");
}
