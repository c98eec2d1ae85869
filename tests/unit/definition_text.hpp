#pragma once

#include <string>

#include "definition/definition.hpp"
#include "definition/lexer.hpp"
#include "support/catch.hpp"

namespace datachange {

inline Definition parse(const std::string& text, Engine engine = Engine::postgresql) {
    return parse_definition({"audits/20260131120000_names.sql", "20260131120000", "names"}, text, engine);
}

inline void put(std::string& text, const std::string& what, const std::string& instead) {
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    text.replace(at, what.size(), instead);
}

/// The text must be refused at the place marked with «.
inline void check_mistake(std::string text, const std::string& message, const std::string& hint,
                          Engine engine = Engine::postgresql) {
    const std::string mark = "«";
    const std::size_t offset = text.find(mark);
    REQUIRE(offset != std::string::npos);
    text.erase(offset, mark.size());
    const SourcePosition place = position_after({1, 1}, text.substr(0, offset));
    INFO(text);
    try {
        parse(text, engine);
        FAIL("not refused: " << message);
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::usage);
        CHECK_THAT(error.what(), Catch::Contains(message));
        CHECK_THAT(error.hint(), Catch::Contains(hint));
        CHECK(error.where() == "audits/20260131120000_names.sql:" + std::to_string(place.line) + ":" +
                                   std::to_string(place.column));
    }
}

/// A definition that is right, to put a mistake into.
inline const std::string good_definition = R"(-- Backfill users.name.
-- ticket: OPS-1234
-- table: users
-- identifier: id

-- audit:pre
SELECT id, name FROM users WHERE name IS NULL AND :batch(id);

-- audit:change
UPDATE users SET name = first_name || ' ' || last_name
WHERE name IS NULL AND :batch(id)
RETURNING id, name;

-- audit:post
SELECT id, name FROM users WHERE :affected(id);

-- audit:summary
SELECT count(*) AS total FROM users;

-- audit:verify
SELECT id FROM users WHERE name = '';
)";

/// The good definition with one piece of it replaced.
inline std::string with(const std::string& what, const std::string& instead) {
    std::string text = good_definition;
    put(text, what, instead);
    return text;
}

}  // namespace datachange
