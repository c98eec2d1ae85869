#include "record/ledger/json_cells.hpp"

#include <stdexcept>

#include "record/ledger/ledger_reader.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

using Cells = std::vector<std::string_view>;
using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

Cells array(std::string_view json) {
    Cells cells;
    split_json_array(json, cells);
    return cells;
}

Fields object(std::string_view json) {
    Fields fields;
    split_json_object(json, fields);
    return fields;
}

}  // namespace

TEST_CASE("the elements of an array as they stand in it", "[ledger]") {
    CHECK(array("[]").empty());
    CHECK(array(R"([1,"a,]}",[2,{"b":3}],{"$blob":"00"}])") ==
          Cells{"1", R"("a,]}")", R"([2,{"b":3}])", R"({"$blob":"00"})"});
    for (const char* broken : {"", "[", "]", "[1", "1]", "[1}", "[1}2]", "[1]2]", "{}", R"(["a])"}) {
        INFO(broken);
        CHECK_THROWS_AS(array(broken), std::invalid_argument);
    }
}

TEST_CASE("the fields of an object as they stand in it", "[ledger]") {
    CHECK(object("{}").empty());
    CHECK(object(R"({"a":1.50,"b\"}":"x,}","c":{"$blob":"00"},"d":[1]})") ==
          Fields{{R"("a")", "1.50"},
                 {R"("b\"}")", R"("x,}")"},
                 {R"("c")", R"({"$blob":"00"})"},
                 {R"("d")", "[1]"}});
    for (const char* broken :
         {"", "{", "}", "[]", R"({"a"})", R"({"a":1)", R"({"a":1]})", R"({a:1})", R"({"a":1}})"}) {
        INFO(broken);
        CHECK_THROWS_AS(object(broken), std::invalid_argument);
    }
}

TEST_CASE("a composite identifier may be written as any array", "[ledger]") {
    CHECK(plain_identifier(R"([7, "x\"y"])") == R"(["7","x\"y"])");
    CHECK(plain_identifier(R"(["7","x"])") == R"(["7","x"])");
    for (const char* other : {"42", "[7", "[[7]]", "{\"a\":1}", ""}) CHECK(plain_identifier(other) == other);
}

TEST_CASE("a table is named regardless of case, quotes and schema", "[ledger]") {
    CHECK(names_table("USERS", "app.\"Users\""));
    CHECK(names_table("app.users", "users"));
    CHECK_FALSE(names_table("users", "other_users"));
    CHECK_FALSE(names_table("a.users", "b.users"));
}
