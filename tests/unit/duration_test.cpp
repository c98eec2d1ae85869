#include "core/duration.hpp"

#include <string>

#include "support/catch.hpp"

using namespace datachange;
using namespace std::chrono_literals;

TEST_CASE("durations as users write them", "[core]") {
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("5s") == 5s);
    CHECK(parse_duration("2min") == 2min);
    CHECK(parse_duration("1h") == 1h);
    CHECK(parse_duration("7") == 7s);
    CHECK(parse_duration("0") == 0ms);
    CHECK(parse_duration("0s") == 0ms);
    CHECK(parse_duration("1.5s") == 1500ms);
    CHECK(parse_duration("0.25") == 250ms);
    CHECK(parse_duration(".5h") == 30min);
    CHECK(parse_duration("1.2ms") == 1ms);
    CHECK(parse_duration("8760h") == 8760h);  // a year
}

TEST_CASE("what is no duration", "[core]") {
    for (const char* text : {"",       " ",   "s",  "ms",  "5 s",  " 5s",  "5s ",   "-5s",
                             "+5s",    "5x",  "5m", "5S",  "5sec", "1e3",  "0x10",  "1,5s",
                             "1.2.3s", ".",   ".s", "nan", "inf",  "5s5s", "8761h", "99999999999999999999",
                             "5\n",    "five"}) {
        INFO("[" << text << "]");
        CHECK_FALSE(parse_duration(text));
    }
    CHECK_FALSE(parse_duration(std::string(400, '9')));
    CHECK_FALSE(parse_duration(std::string("5s\0", 3)));
}
