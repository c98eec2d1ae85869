#include <string>

#include "report/streamed_table.hpp"
#include "report/table.hpp"
#include "report/value_text.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

/// What a table of one column and its neighbour prints.
std::string printed(TableStyle style, const std::vector<std::vector<Cell>>& rows) {
    std::string out;
    StreamedTable table({"a", "b"}, style, [&](std::string_view text) { out += text; });
    for (const auto& row : rows) table.add(row);
    table.flush();
    return out;
}

}  // namespace

TEST_CASE("a character is as wide as a terminal shows it", "[report]") {
    CHECK(display_width("日本") == 4);
    CHECK(display_width("ｗ") == 2);       // full width
    CHECK(display_width("e\u0301") == 1);  // combining acute
    CHECK(display_width("नमस्ते") == 4);     // Devanagari: a virama and a vowel sign stand above or below
    CHECK(display_width("กี่") == 1);        // Thai vowel and tone
    CHECK(display_width("שָׁ") == 1);        // Hebrew points
    CHECK(display_width("🚀") == 2);
    CHECK(display_width("\u200d") == 0);      // joiner
    CHECK(display_width("\U00020000") == 2);  // an ideograph beyond the first plane
    CHECK(display_width("\xff") == 1);
}

TEST_CASE("nothing in a text acts on the terminal, or hides", "[report]") {
    CHECK(printable("a\x1b[2J\x7f") == "a\\x1b[2J\\x7f");
    CHECK(printable("\u009b2J") == "\\u009b2J");
    CHECK(printable("a\u202eb\u2066c\u200f") == "a\\u202eb\\u2066c\\u200f");
    CHECK(printable("a\u200bb\ufeff\u2028") == "a\\u200bb\\ufeff\\u2028");
    CHECK(printable(std::string{"a\0b", 3}) == "a\\x00b");
    CHECK(printable("\xc3(\xe2\x82\xed\xa0\x80") == "\\xc3(\\xe2\\x82\\xed\\xa0\\x80");  // no UTF-8
    CHECK(printable("Zoé 日本 e\u0301 👩\u200d🚀 می\u200cخواهم") == "Zoé 日本 e\u0301 👩\u200d🚀 می\u200cخواهم");
    CHECK(printable_lines("a\tb\n\nc\x1b\n") == "a\\tb\n\nc\\x1b\n");
}

TEST_CASE("a text is cut between characters", "[report]") {
    CHECK(fit("日本語", 5) == "日本…");
    CHECK(fit("日本語", 6) == "日本語");
    CHECK(fit("e\u0301e\u0301e\u0301", 2) == "e\u0301…");
    CHECK(fit("a\nbcdef", 4) == "a\\n…");
}

TEST_CASE("columns are aligned by width, and lines have no spaces at their end", "[report]") {
    CHECK(printed({}, {{{"日本"}, {"x"}}, {{"e\u0301"}, {""}}, {{""}, {"y"}}}) ==
          "a     b\n日本  x\ne\u0301\n      y\n");
    CHECK(printed({2, 4, false}, {{{"abcdef"}, {"x"}}}) == "  a     b\n  abc…  x\n");
}

TEST_CASE("colour does not count as width", "[report]") {
    CHECK(printed({0, 0, true}, {{{"long", Paint::red}, {"x", Paint::none}}}) ==
          "\x1b[2ma\x1b[0m     \x1b[2mb\x1b[0m\n\x1b[31mlong\x1b[0m  x\n");
}

TEST_CASE("a table is written a page at a time, and gets wider on its way", "[report]") {
    std::vector<std::string> pieces;
    StreamedTable table({"n", "x"}, {}, [&](std::string_view text) { pieces.emplace_back(text); });
    for (int i = 0; i < 2500; ++i) table.add({{i == 2000 ? "wide" : "1"}, {"y"}});
    CHECK(pieces.size() == 2);
    table.flush();
    table.flush();
    REQUIRE(pieces.size() == 3);
    CHECK(pieces[0].starts_with("n  x\n1  y\n"));
    CHECK_THAT(pieces[2], Catch::Contains("wide  y\n1     y\n"));
}

TEST_CASE("long cells make a page of few rows", "[report]") {
    std::size_t pieces = 0;
    StreamedTable table({"n"}, {0, 0, false}, [&](std::string_view) { ++pieces; });
    for (int i = 0; i < 4; ++i) table.add({{std::string(1 << 19, 'x')}});
    CHECK(pieces == 2);
}

TEST_CASE("a value of the ledger as people read it", "[report]") {
    CHECK(value_text("null") == "NULL");
    CHECK(value_text("\"null\"") == "\"null\"");
    CHECK(value_text("\"a\\\"b\\n\"") == "\"a\"b\n\"");
    CHECK(value_text("true") == "true");
    CHECK(value_text("12345678901234567890") == "12345678901234567890");
    CHECK(value_text("{\"$blob\":\"00ff\"}") == "blob 00ff");
    CHECK(value_text("{\"$real\":\"-inf\"}") == "real -inf");
    CHECK(value_text("{\"$hmac\":\"ab\"}") == "hmac ab");
}
