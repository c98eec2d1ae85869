#include "capture/compare.hpp"

#include "support/catch.hpp"

using namespace datachange;

namespace {

/// Rows of text; "-" is NULL.
RowSet rows(const std::vector<std::string>& names, const std::vector<std::vector<std::string>>& values) {
    std::vector<Column> columns;
    for (const std::string& name : names) columns.push_back({name, "text", "", ""});
    RowSet set(columns);
    for (const auto& row : values) {
        for (const std::string& value : row) {
            if (value == "-") {
                set.add(ValueKind::null, "");
            } else {
                set.add(ValueKind::text, value);
            }
        }
    }
    return set;
}

CompareRules rules(const std::string& verb, std::optional<std::int64_t> inserts = std::nullopt) {
    return {{"id"}, {{verb, verb == "INSERT"}}, false, inserts};
}

std::string outcomes(const BatchCapture& capture) {
    std::string text;
    for (const AuditedRow& row : capture.rows) {
        text += (text.empty() ? "" : " ") + row.identifier + ":" + action_name(row.action);
    }
    return text;
}

BatchCapture captured(RowSet pre, std::vector<RowSet> returned, RowSet post) {
    BatchCapture capture;
    capture.pre = std::move(pre);
    capture.returned = std::move(returned);
    capture.post = std::move(post);
    return capture;
}

}  // namespace

TEST_CASE("compare tells updated, unchanged, missing and deleted rows apart") {
    BatchCapture capture =
        captured(rows({"id", "v"}, {{"1", "a"}, {"2", "b"}, {"3", "c"}, {"4", "d"}, {"5", "-"}}),
                 {rows({"id", "v"}, {{"5", ""}, {"2", "b"}, {"1", "A"}})},
                 rows({"id", "v"}, {{"1", "A"}, {"2", "b"}, {"3", "c"}, {"5", ""}}));
    compare(capture, rules("UPDATE"));
    CHECK(outcomes(capture) == "1:updated 2:unchanged 3:missing 4:deleted 5:updated");
    CHECK(capture.counts.pre == 5);
    CHECK(capture.counts.change == 3);
    CHECK(capture.counts.post == 4);
    CHECK(capture.counts.changed() == 3);
}

TEST_CASE("a row that changed though no statement returned it is updated, not missing") {
    BatchCapture capture =
        captured(rows({"id", "v"}, {{"1", "a"}}), {rows({"id", "v"}, {})}, rows({"id", "v"}, {{"1", "b"}}));
    compare(capture, rules("UPDATE"));
    CHECK(outcomes(capture) == "1:updated");
}

TEST_CASE("values of different kinds differ though their text is the same") {
    RowSet pre({{"id", "", "", ""}, {"v", "", "", ""}});
    pre.add(ValueKind::integer, "1");
    pre.add(ValueKind::text, "7");
    RowSet post({{"id", "", "", ""}, {"v", "", "", ""}});
    post.add(ValueKind::integer, "1");
    post.add(ValueKind::integer, "7");
    BatchCapture capture = captured(pre, {post}, post);
    compare(capture, rules("UPDATE"));
    CHECK(outcomes(capture) == "1:updated");
}

TEST_CASE("new rows stand in key order between their neighbours") {
    BatchCapture capture =
        captured(rows({"id", "v"}, {{"10", "a"}, {"20", "b"}, {"40", "d"}}),
                 {rows({"id", "v"}, {{"30", "n"}, {"05", "n"}, {"50", "n"}})},
                 rows({"id", "v"}, {{"05", "n"}, {"10", "a"}, {"30", "n"}, {"40", "d"}, {"50", "n"}}));
    compare(capture, rules("INSERT"));
    CHECK(outcomes(capture) == "05:inserted 10:missing 20:deleted 30:inserted 40:missing 50:inserted");
}

TEST_CASE(
    "a returned row that pre forgot is inserted only where its statement inserts and the witness agrees") {
    const auto once = [](const std::string& verb, std::optional<std::int64_t> inserts) {
        BatchCapture capture = captured(rows({"id"}, {}), {rows({"id"}, {{"1"}})}, rows({"id"}, {{"1"}}));
        compare(capture, rules(verb, inserts));
        return outcomes(capture);
    };
    CHECK(once("INSERT", 1) == "1:inserted");
    CHECK(once("INSERT", 0) == "1:unexpected");
    CHECK(once("INSERT", std::nullopt) == "1:inserted");
    CHECK(once("UPDATE", 1) == "1:unexpected");
    CHECK(once("REPLACE", 1) == "1:inserted");
    CHECK(once("REPLACE", std::nullopt) == "1:unexpected");
}

TEST_CASE(
    "a row that was inserted and deleted in one batch leaves no trace, one that an update and delete hit "
    "does") {
    BatchCapture came_and_went =
        captured(rows({"id"}, {}), {rows({"id"}, {{"1"}}), rows({"id"}, {{"1"}})}, rows({"id"}, {}));
    compare(came_and_went, {{"id"}, {{"INSERT", true}, {"DELETE", false}}, false, 1});
    CHECK(outcomes(came_and_went).empty());
    BatchCapture forgotten = captured(rows({"id"}, {}), {rows({"id"}, {{"1"}})}, rows({"id"}, {}));
    compare(forgotten, rules("DELETE", 0));
    CHECK(outcomes(forgotten) == "1:unexpected");
}

TEST_CASE("images are joined by was_ columns where the change alters the identifier") {
    BatchCapture capture = captured(rows({"id", "v"}, {{"1", "a"}, {"2", "b"}}),
                                    {rows({"id", "was_id", "v"}, {{"2", "1", "a"}, {"3", "2", "b"}})},
                                    rows({"id", "v"}, {{"2", "a"}, {"3", "b"}}));
    compare(capture, rules("UPDATE"));
    CHECK(outcomes(capture) == "1:updated 2:updated");
    CHECK(capture.rows[0].new_identifier == "2");
    CHECK(capture.rows[1].new_identifier == "3");
    CHECK(capture.post.text(capture.rows[1].post, 1) == "b");
}

TEST_CASE("composite identifiers do not run into each other") {
    const auto pair = [](const std::string& a, const std::string& b) {
        return std::vector<std::string>{a, b};
    };
    BatchCapture capture =
        captured(rows({"a", "b"}, {pair("1", "12"), pair("11", "2")}), {rows({"a", "b"}, {pair("11", "2")})},
                 rows({"a", "b"}, {pair("1", "12")}));
    compare(capture, {{"a", "b"}, {{"DELETE", false}}, false, std::nullopt});
    CHECK(outcomes(capture) == "[\"1\",\"12\"]:missing [\"11\",\"2\"]:deleted");
}

TEST_CASE("rows are joined by identifier whatever order the sets come in") {
    BatchCapture capture =
        captured(rows({"id", "v"}, {{"b", "1"}, {"A", "2"}, {"c", "3"}, {"B", "4"}}),
                 {rows({"v", "id"}, {{"x", "B"}, {"y", "b"}, {"2", "A"}}), rows({"id", "v"}, {{"B", "z"}, {"c", "w"}})},
                 rows({"id", "v"}, {{"c", "w"}, {"other", "0"}, {"b", "y"}, {"B", "z"}, {"A", "2"}}));
    compare(capture, {{"id"}, {{"UPDATE", false}, {"UPDATE", false}}, false, std::nullopt});
    CHECK(outcomes(capture) == "b:updated A:unchanged c:updated B:updated");
    CHECK(capture.post.text(capture.rows[3].post, 1) == "z");
    REQUIRE(capture.rows[3].returned.size() == 2);
    CHECK(capture.rows[3].returned[1].statement == 1);
    CHECK(capture.rows[3].returned[1].row == 0);
    CHECK(capture.rows[1].returned.front().row == 2);
}

TEST_CASE("sets that cannot be joined are refused by name") {
    const RowSet one = rows({"id"}, {{"1"}});
    const auto message = [](BatchCapture capture) -> std::string {
        try {
            compare(capture, rules("UPDATE"));
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    };
    CHECK(message(captured(rows({"id"}, {{"7"}, {"7"}}), {one}, one)) ==
          "pre gave the identifier 7 more than once");
    CHECK(message(captured(rows({"id"}, {{"b"}, {"A"}, {"c"}, {"A"}}), {one}, one)) ==
          "pre gave the identifier A more than once");
    CHECK(message(captured(rows({"id"}, {{"1"}, {"2"}}), {rows({"id"}, {{"2"}, {"1"}, {"2"}})}, one)) ==
          "RETURNING of statement 1 in change gave the identifier 2 more than once");
    CHECK(message(captured(rows({"id"}, {}), {rows({"id"}, {{"2"}, {"3"}, {"2"}})}, one)) ==
          "RETURNING of statement 1 in change gave the identifier 2 more than once");
    CHECK(message(captured(rows({"id"}, {{"1"}, {"2"}}), {one}, rows({"id"}, {{"1"}, {"2"}, {"1"}}))) ==
          "post gave the identifier 1 more than once");
    CHECK(message(captured(rows({"id"}, {{"-"}}), {one}, one)) ==
          "pre gave a row whose identifier id is NULL");
    CHECK(message(captured(one, {rows({"id"}, {{"1"}, {"1"}})}, one)) ==
          "RETURNING of statement 1 in change gave the identifier 1 more than once");
    CHECK(message(captured(one, {one}, rows({"id"}, {{"1"}, {"1"}}))) ==
          "post gave the identifier 1 more than once");
    CHECK(message(captured(one, {rows({"v"}, {{"1"}})}, one)) ==
          "RETURNING of statement 1 in change does not give the identifier column id");
    CHECK(message(captured(rows({"id", "v", "v"}, {}), {one}, one)) == "pre gives two columns named v");
}

TEST_CASE("in a watched table rows are told apart by their images alone") {
    BatchCapture capture = captured(rows({"id", "v"}, {{"1", "a"}, {"2", "b"}, {"3", "c"}}), {},
                                    rows({"id", "v"}, {{"1", "a"}, {"2", "x"}, {"4", "n"}}));
    compare(capture, {{"id"}, {}, true, std::nullopt});
    CHECK(outcomes(capture) == "1:unchanged 2:updated 3:deleted 4:inserted");
}

TEST_CASE("a row that two statements rename keeps its first and its last identifier") {
    BatchCapture capture = captured(rows({"id"}, {{"1"}}),
                                    {rows({"id", "was_id"}, {{"2", "1"}}), rows({"id", "was_id"}, {{"3", "2"}})},
                                    rows({"id"}, {{"3"}}));
    compare(capture, {{"id"}, {{"UPDATE", false}, {"UPDATE", false}}, false, std::nullopt});
    CHECK(outcomes(capture) == "1:updated");
    CHECK(capture.rows[0].new_identifier == "3");
}
