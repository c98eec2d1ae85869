#include "report/export_csv.hpp"
#include "report/html_plot.hpp"
#include "report/html_sql.hpp"
#include "report/summary_grid.hpp"
#include "report/visible_text.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

/// Keeps lines as texts.
class Kept final : public CsvLines {
public:
    std::string text;

    void write_line(std::span<const std::string_view> fields) override {
        for (const std::string_view field : fields) text.append(field).append(1, '|');
    }
};

std::string safe(std::string_view field) {
    Kept kept;
    const std::string_view fields[] = {field};
    SafeLines(kept).write_line(fields);
    kept.text.pop_back();
    return kept.text;
}

}  // namespace

TEST_CASE("a field that a spreadsheet takes for a formula") {
    CHECK(safe("=1") == "\"'=1\"");
    CHECK(safe("\"=1,\"\"2\"\"\"") == "\"'=1,\"\"2\"\"\"");
    CHECK(safe("+49") == "\"'+49\"");
    CHECK(safe("\uFF0B1") == "\"'\uFF0B1\"");
    CHECK(safe("a;b") == "\"a;b\"");
    for (const char* kept : {"", "\"\"", "-5", "-0.5", "-1.0e+300", "5", "a=b", "\"a;\"", "'=1"})
        CHECK(safe(kept) == kept);
    for (const char* no_number : {"-", "-x", "-5-3", "-.5", "-5.", "-5e", "--5", "-5,0"})
        CHECK(safe(no_number) == "\"'" + std::string{no_number} + "\"");
}

TEST_CASE("names of parts") {
    CHECK(part_name("a/diff.csv", 1, {false, false, 0}) == "a/diff.csv");
    CHECK(part_name("a/diff.csv", 7, {false, false, 9}) == "a/diff.007.csv");
    CHECK(part_name("diff.csv", 1234, {false, true, 9}) == "diff.1234.csv.gz");
    CHECK(part_name("diff.csv.gz", 1, {false, true, 9}) == "diff.001.csv.gz");
    CHECK(part_name("diff.csv", 1, {false, true, 0}) == "diff.csv.gz");
    CHECK(part_name("v1.2/diff", 1, {false, false, 9}) == "v1.2/diff.001");
}

TEST_CASE("text in HTML is never markup, and nothing in it is hidden") {
    CHECK(html_text("<a href='x'>&\"") == "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
    CHECK(html_text("a\u202Eb") == "a<span class=\"code\">U+202E</span>b");
    CHECK(html_text(std::string_view{"\0\n\t\x1b", 4}) ==
          "<span class=\"code\">U+0000</span>\n\t<span class=\"code\">U+001B</span>");
    CHECK(html_text("\xff\xc3(\xe2\x82") == "\uFFFD\uFFFD(\uFFFD\uFFFD");
    CHECK(html_text("Zoë 日本 😀") == "Zoë 日本 😀");
    CHECK(html_attribute("a\u200Bb<") == "a[U+200B]b&lt;");
}

TEST_CASE("text in Markdown is never markup, and stays on its line") {
    CHECK(markdown_text("*a* _b_ `c` [d](e) #1 <f>\n|") == R"(\*a\* \_b\_ \`c\` \[d\](e) #1 &lt;f&gt;\\n\|)");
    CHECK(markdown_text("fill_users_name (\"x\")") == "fill_users_name (\"x\")");
    CHECK(markdown_text("for @all") == "`for @all`");
    CHECK(markdown_code("a|b\n", 10) == R"(`a\|b\n`)");
    CHECK(markdown_code("`a``", 10) == "``` `a`` ```");
    CHECK(markdown_code("", 10) == "`  `");
    CHECK(markdown_code("héllo", 2) == "`hé… (6 bytes)`");
}

TEST_CASE("values as people read them") {
    CHECK(plain_value_text("null") == "NULL");
    CHECK(plain_value_text(R"("a\"b\u0001")") == "a\"b\x01");
    CHECK(plain_value_text("12.50") == "12.50");
    CHECK(plain_value_text(R"({"$blob":"00ff"})") == "blob 00ff");
    CHECK(plain_value_text(R"({"$real":"-inf"})") == "real -inf");
    CHECK(plain_value_text(R"({"$text":"6100"})") == "text 6100");
}

TEST_CASE("SQL keeps every character between its colours") {
    CHECK(html_sql("-- audit:pre\nSELECT 'a<b' -- c\n;", Engine::sqlite) ==
          "<span class=\"d\">-- audit:pre</span>\n<span class=\"k\">SELECT</span> <span "
          "class=\"s\">&#39;a&lt;b&#39;"
          "</span> <span class=\"c\">-- c</span>\n;");
    CHECK(html_sql("select 'never closed", Engine::postgresql) == "select &#39;never closed");
}

TEST_CASE("summaries side by side") {
    const SummaryGrid one = summary_grid(R"([{"n":1,"m":null}])", R"([{"n":2,"m":"x"}])");
    CHECK(one.header == std::vector<std::string>{"summary", "before", "after"});
    CHECK(one.rows == std::vector<std::vector<std::string>>{{"n", "1", "2"}, {"m", "", "x"}});
    const SummaryGrid many = summary_grid(R"([{"s":"a","n":1},{"s":"b","n":2}])", R"([{"s":"c","n":3}])");
    CHECK(many.header == std::vector<std::string>{"s", "n before", "n after"});
    CHECK(many.rows == std::vector<std::vector<std::string>>{{"a", "1", ""}, {"b", "2", ""}, {"c", "", "3"}});
    CHECK(summary_grid("", "").rows.empty());
}

TEST_CASE("plots tell rows and durations, and there are none of one batch") {
    std::vector<LedgerBatch> batches(1);
    batches[0].state = "committed";
    batches[0].started_at = "2026-01-01T00:00:00.000Z";
    batches[0].duration_ms = 1000;
    batches[0].rows.updated = 10;
    CHECK(html_plots(batches).empty());
    batches.push_back(batches[0]);
    batches[1].started_at = "2026-01-01T00:00:03.000Z";
    CHECK_THAT(html_plots(batches), Catch::Contains("20 rows in 4.0 s, 5 rows/s") &&
                                        Catch::Contains("median 1.0 s, longest 1.0 s"));
    batches[1].state = "lost";
    CHECK(html_plots(batches).empty());
    std::vector<LedgerBatch> many(5000, batches[0]);
    const std::string drawn = html_plots(many);
    CHECK(drawn.size() < 100'000);
    CHECK_THAT(drawn, Catch::Contains("last of 5,000"));
}
