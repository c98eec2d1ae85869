#include <chrono>
#include <regex>
#include <string>

#include <rapidcheck.h>

#include "core/clock.hpp"
#include "core/hash.hpp"
#include "core/sql_template.hpp"
#include "core/text.hpp"
#include "datachange/error.hpp"
#include "datachange/run.hpp"
#include "support/catch.hpp"

using namespace datachange;

TEST_CASE("a mistyped word is answered with the one that was most likely meant", "[core]") {
    const std::vector<std::string> keys{"identifier", "table", "ticket", "batch-size"};
    CHECK(closest("identifer", keys) == "identifier");
    CHECK(closest("TABL", keys) == "table");
    CHECK(closest("batchsize", keys) == "batch-size");
    CHECK(closest("zzz", keys).empty());
    CHECK(closest("x", {"y"}) == "y");
    CHECK(closest("", {}).empty());
    CHECK(did_you_mean("tickt", keys) == "did you mean ticket?");
    CHECK(did_you_mean("zzz", keys, "see the manual") == "see the manual");
}

TEST_CASE("what split takes apart join puts together", "[core]") {
    CHECK(rc::check([](const std::string& text) { RC_ASSERT(join(split(text, 'a'), "a") == text); }));
    CHECK(split("", ',') == std::vector<std::string>{""});
    CHECK(split("a,,b", ',') == std::vector<std::string>{"a", "", "b"});
}

TEST_CASE("a line is broken at spaces where it would be too long", "[core]") {
    CHECK(wrapped("one two three", 7) == "one two\nthree");
    CHECK(wrapped("one two three", 6) == "one\ntwo\nthree");
    CHECK(wrapped("a word-that-is-longer b", 5) == "a\nword-that-is-longer\nb");
    CHECK(wrapped("", 5).empty());
}

TEST_CASE("text is trimmed and lowered in ASCII alone", "[core]") {
    CHECK(trim(" \t\r\n x y \v\f") == "x y");
    CHECK(trim("  ").empty());
    CHECK(lower("AZ\xc3\x84") == "az\xc3\x84");
}

TEST_CASE("numbers are written for people", "[core]") {
    CHECK(with_thousands(0) == "0");
    CHECK(with_thousands(999) == "999");
    CHECK(with_thousands(1000) == "1,000");
    CHECK(with_thousands(1234567) == "1,234,567");
    CHECK(counted(1, "row") == "1 row");
    CHECK(counted(2000, "row") == "2,000 rows");
    CHECK(counted(2, "batch") == "2 batches");
}

TEST_CASE("a moment is written in UTC with milliseconds", "[core]") {
    using namespace std::chrono;
    const system_clock::time_point moment{milliseconds{1'772'366'400'000}};
    CHECK(utc_text(moment) == "2026-03-01T12:00:00.000Z");
    CHECK(utc_text(moment + milliseconds{7}) == "2026-03-01T12:00:00.007Z");
    CHECK(utc_text(moment + microseconds{999'999}) == "2026-03-01T12:00:00.999Z");
    CHECK(utc_text(system_clock::time_point{milliseconds{-1}}) == "1969-12-31T23:59:59.999Z");
    CHECK(std::regex_match(utc_now(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
    CHECK(std::regex_match(version_now(), std::regex(R"(\d{14})")));
}

TEST_CASE("SHA-256 is that of the standard, fed at once or in pieces", "[core]") {
    CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(rc::check([](const std::string& a, const std::string& b) {
        Sha256 hash;
        hash.update(a);
        hash.update(b);
        RC_ASSERT(hash.finish() == sha256(a + b));
    }));
}

TEST_CASE("UUIDs are random ones of version 4", "[core]") {
    const std::string uuid = new_uuid();
    CHECK(std::regex_match(
        uuid, std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
    CHECK(uuid != new_uuid());
}

TEST_CASE("names are quoted so that they stay names", "[core]") {
    CHECK(quote_name("a") == "\"a\"");
    CHECK(quote_name("a\"; DROP TABLE t") == "\"a\"\"; DROP TABLE t\"");
    CHECK(quote_names({"a", "B c"}) == "\"a\", \"B c\"");
}

TEST_CASE("a wrapped statement ends where its last comment ends", "[core]") {
    SqlTemplate inner = plain_sql("SELECT 1 -- one");
    CHECK(wrap("SELECT * FROM (", inner, ") AS x").text() == "SELECT * FROM (\nSELECT 1 -- one\n) AS x");
    CHECK_FALSE(inner.uses(SqlPiece::Kind::batch));
    inner.pieces.push_back({SqlPiece::Kind::batch, ":batch(id)", {"id"}, {}});
    CHECK(inner.uses(SqlPiece::Kind::batch));
    CHECK(inner.find(SqlPiece::Kind::batch)->arguments == std::vector<std::string>{"id"});
}

TEST_CASE("an error says where, what and what next", "[core]") {
    Error error(ExitCode::usage, "no such table usrs", "Did you mean users?");
    error.at("a.sql:3:7").at("elsewhere");
    CHECK(error.text() == "a.sql:3:7: error: no such table usrs\nhint: Did you mean users?");
    CHECK(Error(ExitCode::failed, "it broke").text() == "error: it broke");
}

TEST_CASE("row counts add up, and only real changes count as changed", "[core]") {
    RowCounts a;
    a.updated = 1;
    a.inserted = 2;
    a.deleted = 4;
    a.unchanged = 8;
    a.missing = 16;
    CHECK(a.changed() == 7);
    a += a;
    CHECK(a.changed() == 14);
    CHECK(a.missing == 32);
}
