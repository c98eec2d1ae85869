#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>

#include <rapidcheck.h>

#include "core/key.hpp"
#include "core/row_set.hpp"
#include "core/value.hpp"
#include "core/value_json.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

Value any_value() {
    switch (*rc::gen::inRange(0, 6)) {
        case 0:
            return {};
        case 1:
            return {ValueKind::boolean, *rc::gen::element(std::string("t"), std::string("f"))};
        case 2:
            return Value::integer(*rc::gen::arbitrary<std::int64_t>());
        case 3:
            return {ValueKind::real, real_text(*rc::gen::arbitrary<double>())};
        case 4:
            return Value::text(*rc::gen::string<std::string>());
        default:
            return {ValueKind::blob, *rc::gen::string<std::string>()};
    }
}

std::string json(const Value& value) {
    std::string out;
    append_json(out, value.view());
    return out;
}

}  // namespace

TEST_CASE("any row of values comes back from its JSON as it was", "[core]") {
    CHECK(rc::check([] {
        const auto values = *rc::gen::container<std::vector<Value>>(rc::gen::exec(any_value));
        RC_ASSERT(parse_json_array(json_array(values)) == values);
    }));
}

TEST_CASE("each kind of value has its own JSON", "[core]") {
    CHECK(json({}) == "null");
    CHECK(json({ValueKind::boolean, "t"}) == "true");
    CHECK(json({ValueKind::boolean, "f"}) == "false");
    CHECK(json({ValueKind::integer, "-9223372036854775808"}) == "-9223372036854775808");
    CHECK(json({ValueKind::real, "0.10000000000000001"}) == "0.10000000000000001");
    CHECK(json({ValueKind::real, "-inf"}) == R"({"$real":"-inf"})");
    CHECK(json({ValueKind::text, "caf\xc3\xa9 \"x\"\\\n\x01"}) == "\"caf\xc3\xa9 \\\"x\\\"\\\\\\n\\u0001\"");
    CHECK(json({ValueKind::text, std::string("a\0b", 3)}) == R"({"$text":"610062"})");
    CHECK(json({ValueKind::text, "\xff"}) == R"({"$text":"ff"})");
    CHECK(json({ValueKind::blob, ""}) == R"({"$blob":""})");
    CHECK(json(Value::text("")) == "\"\"");
}

TEST_CASE("text that looks like a wrapped value stays text", "[core]") {
    const std::vector<Value> values{Value::text(R"({"$blob":"00"})"), Value::text("null"), Value::text("1")};
    CHECK(parse_json_array(json_array(values)) == values);
}

TEST_CASE("JSON that the tool never writes is refused", "[core]") {
    for (const char* text : {"", "[", "[1", "[1,]", "[1]x", "{}", "[\"a]", "[\"\\u00e9\"]",
                             "[{\"$blob\":\"0\"}]", "[1 ,2]", "[nul]", "[\"\\x\"]"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parse_json_array(text), std::invalid_argument);
    }
}

TEST_CASE("a real is written so that reading it gives the same number", "[core]") {
    CHECK(rc::check([](double number) {
        RC_PRE(!std::isnan(number));
        const std::string text = real_text(number);
        const double back = std::strtod(text.c_str(), nullptr);
        RC_ASSERT(back == number);
        RC_ASSERT(std::signbit(back) == std::signbit(number));
    }));
    CHECK(real_text(3.0) == "3.0");
    CHECK(real_text(0.1) == "0.10000000000000001");
    CHECK(real_text(0.5) == "0.5");
    CHECK(real_text(1e300) == "1.0000000000000001e+300");
    CHECK(real_text(1e22) == "1.0e+22");
    CHECK(real_text(-0.0) == "-0.0");
    CHECK(real_text(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(real_text(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("only well-formed UTF-8 without NUL is plain text", "[core]") {
    for (const char* text : {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xb5", "\xef\xbf\xbf"}) {
        CAPTURE(text);
        CHECK(is_plain_text(text));
    }
    for (const char* text :
         {"\xff", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80"}) {
        CAPTURE(text);
        CHECK_FALSE(is_plain_text(text));
    }
    CHECK_FALSE(is_plain_text(std::string_view("a\0", 2)));
}

TEST_CASE("hexadecimal digits come back as the bytes they were", "[core]") {
    CHECK(rc::check([](const std::string& bytes) { RC_ASSERT(from_hex(to_hex(bytes)) == bytes); }));
    CHECK(to_hex("\x01\xab") == "01ab");
    CHECK(from_hex("AB") == "\xab");
    CHECK_THROWS_AS(from_hex("abc"), std::invalid_argument);
    CHECK_THROWS_AS(from_hex("zz"), std::invalid_argument);
}

TEST_CASE("a key reads as its value, a composite one as an array of texts", "[core]") {
    CHECK(key_text({Value::integer(42)}) == "42");
    CHECK(key_text({Value::text("a,b")}) == "a,b");
    CHECK(key_text({Value{ValueKind::blob, "ab"}}) == "x'6162'");
    CHECK(key_text({Value::text(std::string("\0", 1))}) == R"({"$text":"00"})");
    CHECK(key_text({Value::integer(1), Value::text("x\"y")}) == R"(["1","x\"y"])");
}

TEST_CASE("keys have one fingerprint exactly where they are equal", "[core]") {
    CHECK(rc::check([] {
        const Key a = *rc::gen::container<std::vector<Value>>(rc::gen::exec(any_value));
        const Key b = *rc::gen::container<std::vector<Value>>(rc::gen::exec(any_value));
        RC_ASSERT((key_fingerprint(a) == key_fingerprint(b)) == (a == b));
        RC_ASSERT(key_fingerprint(a) == key_fingerprint(Key(a)));
    }));
    CHECK(key_fingerprint(Key{Value::text("1")}) != key_fingerprint(Key{Value::integer(1)}));
    CHECK(key_fingerprint(Key{Value::text("a"), Value::text("b")}) !=
          key_fingerprint(Key{Value::text("ab")}));
}

TEST_CASE("a row set gives back the cells that were added", "[core]") {
    RowSet rows({{"id", "integer", "main.t", "id"}, {"name", "text", "", ""}});
    CHECK(rows.empty());
    rows.add(ValueKind::integer, "1");
    rows.add({});
    rows.add(ValueKind::integer, "2");
    rows.add(ValueKind::text, "two");
    REQUIRE(rows.size() == 2);
    CHECK(rows.at(0, 1).is_null());
    CHECK(rows.value(1, 1) == Value::text("two"));
    CHECK(rows.key(1, {1, 0}) == Key{Value::text("two"), Value::integer(2)});
    CHECK(json_objects(rows) == R"([{"id":1,"name":null},{"id":2,"name":"two"}])");

    RowSet copy(rows.columns());
    copy.add_row(rows, 1);
    CHECK(copy.size() == 1);
    CHECK(copy.text(0, 1) == "two");
}

TEST_CASE("a column is found by its name, regardless of case only where that names one", "[core]") {
    const std::vector<Column> columns{
        {"id", "", "", ""}, {"Name", "", "", ""}, {"x", "", "", ""}, {"X", "", "", ""}};
    CHECK(find_column(columns, "id") == 0U);
    CHECK(find_column(columns, "NAME") == 1U);
    CHECK(find_column(columns, "X") == 3U);
    CHECK(find_column({{"a", "", "", ""}, {"A", "", "", ""}, {"b", "", "", ""}}, "B") == 2U);
    CHECK_FALSE(find_column({{"aB", "", "", ""}, {"Ab", "", "", ""}}, "ab").has_value());
    CHECK_FALSE(find_column(columns, "y").has_value());
}
