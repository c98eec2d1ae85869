#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>

#include "core/value_json.hpp"
#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;

namespace {

/// Checks a property from a Catch2 test case.
template <typename Property>
void holds(const std::string& name, Property&& property) {
    INFO(name);
    CHECK(rc::check(name, std::forward<Property>(property)));
}

/// Text that is likely to hold what some syntax gives a meaning.
std::string awkward_text() {
    static const std::vector<std::string> parts{
        "a",  "B", "NULL", "null", "\"", "'",        "\\",
        "{",  "}", ",",    " ",    "",   "(",        ")",
        "[",  "]", "\n",   "\t",   ";",  "\xC3\xA9", "\xF0\x9F\x98\x80",
        "$1", "1", "%",    "--",   "/*", ":a",       "\r"};
    std::string text;
    const int length = *rc::gen::inRange(0, 6);
    for (int i = 0; i < length; ++i) text += *rc::gen::elementOf(parts);
    return text;
}

std::string random_bytes() {
    std::string bytes;
    for (const std::uint8_t byte : *rc::gen::arbitrary<std::vector<std::uint8_t>>())
        bytes += static_cast<char>(byte);
    return bytes;
}

std::string random_instant() {
    static const std::vector<std::string> zones{"+00", "+05:30", "-00:25:21", "-12", "+14:00"};
    const int year = *rc::gen::inRange(1, 20000);
    const std::string zone = *rc::gen::elementOf(zones);
    const bool before_christ = year < 4000 && *rc::gen::arbitrary<bool>();
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}{}{}", year, *rc::gen::inRange(1, 13),
                       *rc::gen::inRange(1, 29), *rc::gen::inRange(0, 24), *rc::gen::inRange(0, 60),
                       *rc::gen::inRange(0, 60), *rc::gen::inRange(0, 1000000), zone,
                       before_christ ? " BC" : "");
}

struct KeyType {
    std::string type;
    std::function<Value()> value;
};

std::string random_uuid() {
    std::string hex;
    for (int i = 0; i < 16; ++i) hex += to_hex(std::string(1, static_cast<char>(*rc::gen::inRange(0, 256))));
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) +
           "-" + hex.substr(20);
}

std::vector<KeyType> postgres_key_types() {
    return {
        {"int8", [] { return Value::integer(*rc::gen::arbitrary<std::int64_t>()); }},
        {"text", [] { return Value::text(awkward_text()); }},
        {"text COLLATE \"C\"", [] { return Value::text(awkward_text()); }},
        {"varchar(40)", [] { return Value::text(awkward_text()); }},
        {"char(8)", [] { return Value::text(std::string(1, *rc::gen::elementOf(std::string{"aB,{\"\\"}))); }},
        {"citext", [] { return Value::text(awkward_text()); }},
        {"bytea",
         [] {
             return Value{ValueKind::blob, random_bytes()};
         }},
        {"timestamptz", [] { return Value::text(random_instant()); }},
        {"float8", [] { return Value::text(real_text(*rc::gen::arbitrary<double>())); }},
        {"numeric", [] { return Value::text(std::to_string(*rc::gen::arbitrary<std::int64_t>()) + ".50"); }},
        {"uuid", [] { return Value::text(random_uuid()); }},
        {"boolean",
         [] {
             return Value{ValueKind::boolean, *rc::gen::arbitrary<bool>() ? "t" : "f"};
         }},
        {"jsonb", [] { return Value::text(json_string(awkward_text())); }},
        {"tstzrange", [] { return Value::text("[\"" + random_instant() + "\",)"); }},
    };
}

std::vector<KeyType> sqlite_key_types() {
    const auto integer = [] { return Value::integer(*rc::gen::arbitrary<std::int64_t>()); };
    const auto text = [] { return Value::text(awkward_text()); };
    const auto blob = [] { return Value{ValueKind::blob, random_bytes()}; };
    const auto real = [] { return Value{ValueKind::real, real_text(*rc::gen::arbitrary<double>())}; };
    const auto digits = [] { return Value::text(std::to_string(*rc::gen::inRange(-3, 3))); };
    const auto small = [] { return Value::integer(*rc::gen::inRange(-3, 3)); };
    const auto any = [=] {
        const std::vector<std::function<Value()>> kinds{integer, text, blob, real, digits, small};
        return (*rc::gen::elementOf(kinds))();
    };
    return {{"", any},
            {"INT", any},
            {"TEXT", any},
            {"BLOB", any},
            {"REAL", any},
            {"NUMERIC", any},
            {"TEXT COLLATE NOCASE", any}};
}

/// A table t(place, k1, ..., kn) with distinct random keys; on PostgreSQL through the server's own idea of
/// equal.
struct Filled {
    RowSet rows;  ///< k1, ..., kn in the server's order
    std::size_t width;
    std::vector<std::string> columns;

    Key key(std::size_t row) const {
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < width; ++i) places.push_back(i);
        return rows.key(row, places);
    }
};

Filled fill(Target& target, const std::vector<KeyType>& types) {
    Filled filled;
    filled.width = types.size();
    std::string definition;
    std::string values;
    for (std::size_t i = 0; i < types.size(); ++i) {
        filled.columns.push_back("k" + std::to_string(i + 1));
        definition += (i > 0 ? ", " : "") + filled.columns.back() + " " + types[i].type;
        values += (i > 0 ? ", $" : "$") + std::to_string(i + 1);
    }
    std::string names;
    for (const std::string& column : filled.columns) names += (names.empty() ? "" : ", ") + column;
    target.query("CREATE TABLE t (" + definition + ", PRIMARY KEY (" + names + "))");
    const int rows = *rc::gen::inRange(1, 12);
    for (int row = 0; row < rows; ++row) {
        std::vector<Value> key;
        for (const KeyType& type : types) key.push_back(type.value());
        target.query("INSERT INTO t VALUES (" + values + ") ON CONFLICT DO NOTHING", key);
    }
    filled.rows = target.query("SELECT " + names + " FROM t ORDER BY " + names);
    return filled;
}

SqlTemplate select(const Filled& filled, SqlPiece::Kind kind) {
    std::string names;
    for (const std::string& column : filled.columns) names += (names.empty() ? "" : ", ") + column;
    return with_macro("SELECT " + names + " FROM t WHERE ", kind, filled.columns, " ORDER BY " + names);
}

void each_key_finds_its_row(Target& target, const Filled& filled) {
    Scope scope;
    scope.affected_types = types(filled.rows);
    for (std::size_t row = 0; row < filled.rows.size(); ++row) {
        const std::vector<Key> keys{filled.key(row)};
        scope.affected = &keys;
        const RowSet found = target.query(select(filled, SqlPiece::Kind::affected), scope);
        RC_ASSERT(found.size() == 1U);
        for (std::size_t column = 0; column < filled.width; ++column) {
            RC_ASSERT(found.value(0, column) == filled.rows.value(row, column));
        }
    }
    std::vector<Key> chosen;
    for (std::size_t row = 0; row < filled.rows.size(); ++row) {
        if (*rc::gen::arbitrary<bool>()) chosen.push_back(filled.key(row));
    }
    scope.affected = &chosen;
    RC_ASSERT(target.query(select(filled, SqlPiece::Kind::affected), scope).size() == chosen.size());
}

void ranges_partition_the_table(Target& target, const Filled& filled) {
    Scope scope;
    scope.range_types = types(filled.rows);
    std::vector<std::string> seen;
    for (std::size_t row = 0; row < filled.rows.size();) {
        const std::size_t last =
            std::min(filled.rows.size() - 1, row + static_cast<std::size_t>(*rc::gen::inRange(0, 4)));
        scope.range.upto = filled.key(last);
        const RowSet batch = target.query(select(filled, SqlPiece::Kind::batch), scope);
        RC_ASSERT(batch.size() == last - row + 1);
        for (const std::string& text : texts(batch)) seen.push_back(text);
        scope.range.after = scope.range.upto;
        row = last + 1;
    }
    RC_ASSERT(seen == texts(filled.rows));
    scope.range.upto.reset();
    RC_ASSERT(target.query(select(filled, SqlPiece::Kind::batch), scope).empty());
}

}  // namespace

TEST_CASE("Keys of any type find exactly their row again, and ranges take every row once", "[property]") {
    const Engine engine = GENERATE(Engine::postgresql, Engine::sqlite);
    const TestDatabase database(engine);
    const auto target = database.connect();
    if (engine == Engine::postgresql)
        execute_all(*target, {"CREATE EXTENSION citext", "SET TimeZone = 'Asia/Kolkata'"});
    const std::vector<KeyType> all = engine == Engine::postgresql ? postgres_key_types() : sqlite_key_types();
    holds(std::string{engine_name(engine)} + " keys", [&] {
        std::vector<KeyType> types;
        const int width = *rc::gen::inRange(1, 4);
        for (int i = 0; i < width; ++i) types.push_back(all[*rc::gen::inRange<std::size_t>(0, all.size())]);
        for (const KeyType& type : types) RC_LOG() << type.type << "; ";
        target->begin(Isolation::repeatable_read);
        try {
            const Filled filled = fill(*target, types);
            each_key_finds_its_row(*target, filled);
            ranges_partition_the_table(*target, filled);
        } catch (...) {
            target->rollback();
            throw;
        }
        target->rollback();
    });
}
