#include "support/catch.hpp"
#include "target/postgres/value_text.hpp"
#include "target/sql_text.hpp"

using namespace datachange;
using namespace datachange::postgres;

TEST_CASE("A timestamp with time zone is brought to UTC") {
    const auto check = [](const std::string& text, const std::string& expected) {
        CAPTURE(text);
        CHECK(utc_timestamp(text) == expected);
    };
    check("2026-01-01 22:30:00+00", "2026-01-01 22:30:00+00");
    check("2026-01-01 23:30:00+01", "2026-01-01 22:30:00+00");
    check("2026-01-01 00:30:00.500000+05:30", "2025-12-31 19:00:00.500000+00");
    check("2024-02-28 23:59:59.9-12", "2024-02-29 11:59:59.9+00");
    check("1883-11-18 12:00:00-00:25:21", "1883-11-18 12:25:21+00");
    check("0001-01-01 00:30:00+01 BC", "0002-12-31 23:30:00+00 BC");
    check("0001-01-01 00:30:00+01", "0001-12-31 23:30:00+00 BC");
    check("0001-12-31 23:30:00-01 BC", "0001-01-01 00:30:00+00");
    check("4713-01-01 00:30:00+01 BC", "4714-12-31 23:30:00+00 BC");
    check("10000-01-01 00:30:00+01", "9999-12-31 23:30:00+00");
    check("294276-12-31 23:59:59.999999-14", "294277-01-01 13:59:59.999999+00");
    check("infinity", "infinity");
    check("-infinity", "-infinity");
    check("01.01.2026 23:30:00 CET", "01.01.2026 23:30:00 CET");
    check("", "");
}

TEST_CASE("bytea is hexadecimal, also from its escape format") {
    CHECK(hex_bytea("\\x00ff") == "\\x00ff");
    CHECK(hex_bytea("") == "\\x");
    CHECK(hex_bytea("ab\\000\\\\\\377'") == "\\x6162005cff27");
    CHECK(hex_bytea("\\\\x41") == "\\x5c783431");
}

TEST_CASE("Elements are changed at any depth, and quoted as the server does") {
    const TextChange mark = [](std::string_view text) { return "<" + std::string{text} + ">"; };
    const TextChange same = [](std::string_view text) { return std::string{text}; };
    CHECK(change_array("{}", mark) == "{}");
    CHECK(change_array("{a,NULL,\"NULL\",\"\",\"b,\\\"c\\\\\"}", mark) ==
          "{<a>,NULL,<NULL>,<>,\"<b,\\\"c\\\\>\"}");
    CHECK(change_array("[0:1][1:1]={{a},{\"b c\"}}", mark) == "[0:1][1:1]={{<a>},{\"<b c>\"}}");
    for (const std::string text : {"{a,NULL,\"NULL\",\"\",\"b,\\\"c\\\\\",\"{}\"}", "{{1,2},{3,4}}"})
        CHECK(change_array(text, same) == text);

    CHECK(change_range("empty", mark) == "empty");
    CHECK(change_range("(,)", mark) == "(,)");
    CHECK(change_range("[a,\"b c\")", mark) == "[<a>,\"<b c>\")");
    for (const std::string text : {"[\"a\"\"b\\\\\",\"c d\"]", "(,\"]\")", "[\"\",x)"})
        CHECK(change_range(text, same) == text);

    CHECK(change_multirange("{}", mark) == "{}");
    CHECK(change_multirange("{[\"a ]\",b),(c,)}", [](std::string_view range) {
              return "<" + std::string{range} + ">";
          }) == "{<[\"a ]\",b)>,<(c,)>}");
}

TEST_CASE("The first keyword is found behind comments") {
    CHECK(first_keyword("select 1", Engine::sqlite) == "SELECT");
    CHECK(first_keyword(" -- a\n/* b */ ((Commit", Engine::postgresql) == "COMMIT");
    CHECK(first_keyword(";; COMMIT;", Engine::postgresql) == "COMMIT");
    CHECK(first_keyword("/* a /* b */ x */ COMMIT", Engine::postgresql) == "COMMIT");
    CHECK(first_keyword("/* a /* b */ PRAGMA x", Engine::sqlite) == "PRAGMA");
    CHECK(first_keyword("-- only", Engine::sqlite).empty());
    CHECK(first_keyword("/* open", Engine::sqlite).empty());
    CHECK(is_blank_sql(" ; -- x\n /* y */ ", Engine::sqlite));
    CHECK(!is_blank_sql(" ; x", Engine::sqlite));
}
