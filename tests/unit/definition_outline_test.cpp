#include "definition_text.hpp"

using namespace datachange;

namespace {

const std::string two_steps = R"(-- ticket: OPS-1
-- batch-size: 100
-- on-error: skip

-- audit:step users
-- table: users
-- identifier: id
-- batch-size: 7
-- audit:pre
SELECT id FROM users WHERE :batch(id);
-- audit:change
DELETE FROM users WHERE :batch(id) RETURNING id;

-- audit:step songs-2
-- table: app.songs
-- identifier: song_id, mood_id
-- audit:pre
SELECT song_id, mood_id FROM songs;
-- audit:change
DELETE FROM songs RETURNING song_id, mood_id;
)";

std::string steps_with(const std::string& what, const std::string& instead) {
    std::string text = two_steps;
    put(text, what, instead);
    return text;
}

}  // namespace

TEST_CASE("the sections of a step are read with their places") {
    const Definition definition = parse(good_definition);
    REQUIRE(definition.steps.size() == 1);
    const Step& step = definition.steps[0];
    CHECK(definition.text == good_definition);
    CHECK(step.pre->text() == "SELECT id, name FROM users WHERE name IS NULL AND :batch(id)");
    CHECK(step.pre->at.line == 7);
    CHECK(step.pre->at.column == 1);
    REQUIRE(step.change.size() == 1);
    CHECK(step.change[0].sql.at.line == 10);
    CHECK(step.post->text() == "SELECT id, name FROM users WHERE :affected(id)");
    CHECK(step.summary->text() == "SELECT count(*) AS total FROM users");
    CHECK(step.verify->text() == "SELECT id FROM users WHERE name = ''");
    CHECK_FALSE(step.keys);
    CHECK(step.undo.empty());
    CHECK_FALSE(step.only_verifies());
}

TEST_CASE("steps are numbered, and take what the file's header says where they say nothing") {
    const Definition definition = parse(two_steps);
    REQUIRE(definition.steps.size() == 2);
    CHECK(definition.steps[0].number == 1);
    CHECK(definition.steps[0].name == "users");
    CHECK(definition.steps[0].batch_size == 7U);
    CHECK(definition.steps[0].on_error == OnError::skip);
    CHECK(definition.steps[0].at.line == 5);
    CHECK(definition.steps[1].number == 2);
    CHECK(definition.steps[1].name == "songs-2");
    CHECK(definition.steps[1].table == "app.songs");
    CHECK(definition.steps[1].batch_size == 100U);
    CHECK(definition.steps[1].identifier == std::vector<std::string>{"song_id", "mood_id"});
}

TEST_CASE("verify alone is an integrity check, with a summary at most") {
    const Definition alone = parse("-- audit:verify\nSELECT id FROM users WHERE name = '';\n");
    CHECK(alone.steps.at(0).only_verifies());
    CHECK(alone.steps.at(0).identifier.empty());
    CHECK(parse("-- audit:summary\nSELECT 1\n-- audit:verify\nSELECT 2").steps.at(0).only_verifies());
    check_mistake("«-- audit:verify\nSELECT 1\n-- audit:keys\nSELECT id FROM t WHERE :batch(id)",
                  "no audit:pre", "");
}

TEST_CASE("a directive within a string, a dollar quote or a comment is text") {
    const Definition definition = parse(with(
        "first_name", "'\n-- audit:undo\n' || $$\n-- audit:undo\n$$ /*\n-- audit:undo\n*/ || first_name"));
    CHECK(definition.steps.at(0).undo.empty());
    CHECK(definition.steps.at(0).change.size() == 1);
}

TEST_CASE("a statement ends at the next directive, with or without a semicolon") {
    const Step step =
        parse(with("RETURNING id, name;", "RETURNING id, name -- the last\n-- of it")).steps.at(0);
    CHECK_THAT(step.change.at(0).sql.text(), Catch::EndsWith("RETURNING id, name"));
}

TEST_CASE("an unknown section is refused with the one that was meant") {
    check_mistake(with("-- audit:change", "«-- audit:chnage"), "unknown section \"audit:chnage\"",
                  "did you mean audit:change?");
    check_mistake(with("-- audit:change", "«-- audit:Change"), "unknown section",
                  "did you mean audit:change?");
    check_mistake(with("-- audit:change", "«-- audit:xyzzy"), "unknown section",
                  "The sections are keys, pre, change");
}

TEST_CASE("a directive written otherwise is refused rather than ignored") {
    check_mistake(with("-- audit:change", "«-- audit: change"), "a directive is not written so",
                  "Write `-- audit:change`");
    check_mistake(with("-- audit:change", "«-- Audit:change"), "a directive is not written so",
                  "audit:change");
    check_mistake(with("-- audit:change", "«-- audit :change"), "a directive is not written so",
                  "audit:change");
    check_mistake(with("-- audit:change", "«-- audit:"), "a directive is not written so", "Write");
    check_mistake(with("AND :batch(id);\n\n-- audit:change", "AND :batch(id); «-- audit:change"),
                  "audit:change stands behind something else", "a line of its own");
}

TEST_CASE("a section takes no argument, and a watch and a step take one") {
    check_mistake(with("-- audit:pre", "-- audit:pre «users"), "audit:pre takes nothing behind it", "");
    check_mistake(with("-- audit:summary", "«-- audit:watch"), "audit:watch names no table",
                  "audit:watch TABLE");
    check_mistake(steps_with("-- audit:step users", "«-- audit:step"), "audit:step names no step",
                  "audit:step NAME");
}

TEST_CASE("SQL before the first section is refused") {
    check_mistake("-- ticket: X\n«SELECT 1;\n-- audit:pre\n", "SQL before the first section", "audit:pre");
    check_mistake(steps_with("-- batch-size: 7", "«SELECT 1;"), "SQL before the first section of the step",
                  "");
}

TEST_CASE("a file without sections is refused") {
    check_mistake("«-- ticket: X\n", "the definition has no section", "audit:pre");
    check_mistake("«", "the definition has no section", "audit:pre");
}

TEST_CASE("an empty section is refused") {
    check_mistake(with("-- audit:summary\nSELECT count(*) AS total FROM users;",
                       "«-- audit:summary\n-- nothing yet\n;;"),
                  "audit:summary is empty", "Write its SQL below");
}

TEST_CASE("a section stands once in a step") {
    check_mistake(with("-- audit:verify", "«-- audit:summary"), "a second audit:summary in one step",
                  "line 17");
}

TEST_CASE("a step has pre, change, an identifier, and a way to post") {
    check_mistake("-- identifier: id\n«-- audit:change\nDELETE FROM t RETURNING id",
                  "the definition has no audit:pre", "");
    check_mistake("-- identifier: id\n«-- audit:pre\nSELECT 1", "the definition has no audit:change", "");
    check_mistake(steps_with("-- identifier: id", "").insert(two_steps.find("-- audit:step users"), "«"),
                  "step users has no identifier", "Add `-- identifier: id`");
    check_mistake("«-- audit:pre\nSELECT 1 AS id\n-- audit:change\nDELETE FROM t RETURNING id",
                  "the definition has no identifier", "Add `-- identifier: id`");
    check_mistake(
        "-- identifier: id\n«-- audit:pre\nSELECT 1 AS id\n-- audit:change\nDELETE FROM t RETURNING id",
        "the definition has no audit:post, and no table to read it from", "Add `-- table: NAME`");
}

TEST_CASE("steps have names of their own, and hold every section of the file") {
    check_mistake(steps_with("songs-2", "«users"), "a second step of the name users", "line 5");
    check_mistake(steps_with("songs-2", "«app.songs"), "\"app.songs\" is no name of a step",
                  "letters, digits");
    check_mistake(steps_with("-- audit:step users", "«-- audit:summary\nSELECT 1;\n-- audit:step users"),
                  "audit:summary stands before the first audit:step", "below an audit:step");
    check_mistake(two_steps + "«-- audit:step third\n", "step third has no section", "");
    check_mistake(steps_with("-- audit:step songs-2", "«-- audit:step x\n-- audit:step songs-2"),
                  "step x has no section", "");
}

TEST_CASE("keys of the whole file are refused in the header of a step") {
    for (const char* line :
         {"ticket: X", "author: me", "targets: prod", "repeatable: yes", "foreign-keys: on", "note: x"}) {
        check_mistake(steps_with("-- batch-size: 7", std::string{"-- «"} + line),
                      "holds for the whole file, not for a step", "above the first audit:step");
    }
    check_mistake(steps_with("-- batch-size: 7", "-- «table: x"), "table is given twice in one header",
                  "line 6");
}

TEST_CASE("tables can be watched, each with an identifier of its own") {
    const std::string watch =
        "-- audit:watch app.\"Song\"\n-- identifier: Song_Id\n-- what the cascade takes\n"
        "SELECT song_id FROM songs WHERE :batch(user_id);\n"
        "-- audit:watch moods\n-- identifier: mood_id\nSELECT mood_id FROM moods;\n";
    const Step step = parse(good_definition + watch).steps.at(0);
    REQUIRE(step.watches.size() == 2);
    CHECK(step.watches[0].table == "app.\"Song\"");
    CHECK(step.watches[0].identifier == std::vector<std::string>{"song_id"});
    CHECK(step.watches[0].query.uses(SqlPiece::Kind::batch));
    CHECK(step.watches[0].at.line == 22);
    CHECK(step.watches[1].table == "moods");
    const auto check = [&](const std::string& what, const std::string& instead, const std::string& message) {
        std::string text = good_definition + watch;
        put(text, what, instead);
        check_mistake(text, message, "");
    };
    check("-- audit:watch moods\n-- identifier: mood_id", "«-- audit:watch moods",
          "audit:watch moods has no identifier");
    check("-- identifier: mood_id", "-- identifier: mood_id\n-- «table: moods",
          "table is no header key of audit:watch");
    check("-- identifier: mood_id", "-- «identifer: mood_id", "unknown header key");
    check("-- identifier: mood_id", "-- identifier: mood_id\n-- «identifier: x", "identifier is given twice");
    check("watch moods", "watch moods, «songs", "one table is named here, not several");
    check("watch moods", "watch «app.\"Song\"", "is watched twice in one step");
}

TEST_CASE("psql commands are refused") {
    check_mistake(with("SELECT id, name FROM users WHERE", "  «\\set x it's\nSELECT id FROM users WHERE"),
                  "psql commands are not supported: \\set x it's", "plain SQL");
}

TEST_CASE("a file that is no UTF-8 text is refused at its line") {
    check_mistake("-- ticket: x\n«-- author: J\xFCrgen\n", "not UTF-8 text", "Save the file in UTF-8");
    check_mistake(std::string{"-- ticket: x\n«-- a\0b\n", 22}, "not UTF-8 text", "NUL");
}
