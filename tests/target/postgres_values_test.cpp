#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;

namespace {

struct Sample {
    std::string sql, type, text;
    ValueKind kind = ValueKind::text;
};

/// Values of every built-in type that a column can have. The session's time zone is Asia/Kolkata, +05:30.
std::vector<Sample> samples() {
    return {
        {"true", "boolean", "t", ValueKind::boolean},
        {"(-32768)::int2", "smallint", "-32768", ValueKind::integer},
        {"2147483647", "integer", "2147483647", ValueKind::integer},
        {"(-9223372036854775808)::int8", "bigint", "-9223372036854775808", ValueKind::integer},
        {"12345678901234567890123456789.000100", "numeric", "12345678901234567890123456789.000100"},
        {"'NaN'::numeric(5,2)", "numeric", "NaN"},
        {"1.10::numeric(10,4)", "numeric", "1.1000"},
        {"0.1::float4", "real", "0.1"},
        {"0.1::float8 + 0.2::float8", "double precision", "0.30000000000000004"},
        {"'NaN'::float8", "double precision", "NaN"},
        {"'-Infinity'::float8", "double precision", "-Infinity"},
        {"'-0'::float8", "double precision", "-0"},
        {"1e300::float8", "double precision", "1e+300"},
        {"12.34::money", "money", "$12.34"},
        {"'it''s'::text", "text", "it's"},
        {"''::varchar(3)", "character varying", ""},
        {"'ab'::char(4)", "bpchar", "ab  "},
        {"'x'::\"char\"", "\"char\"", "x"},
        {"'n'::name", "name", "n"},
        {"'\\x00ff5c27'::bytea", "bytea", "\\x00ff5c27"},
        {"''::bytea", "bytea", "\\x"},
        {"ARRAY['\\x5c00'::bytea, NULL, '']", "bytea[]", R"({"\\x5c00",NULL,"\\x"})"},
        {"'2026-01-01 23:30:00'::timestamp", "timestamp without time zone", "2026-01-01 23:30:00"},
        {"'2026-01-01 23:30:00.123450+00'::timestamptz", "timestamp with time zone",
         "2026-01-01 23:30:00.12345+00"},
        {"'infinity'::timestamptz", "timestamp with time zone", "infinity"},
        {"'-infinity'::timestamptz", "timestamp with time zone", "-infinity"},
        {"'0001-12-31 23:30:00+00 BC'::timestamptz", "timestamp with time zone", "0001-12-31 23:30:00+00 BC"},
        {"'12026-01-01 00:00:00+00'::timestamptz", "timestamp with time zone", "12026-01-01 00:00:00+00"},
        {"'1850-06-01 00:00:00+00'::timestamptz", "timestamp with time zone", "1850-06-01 00:00:00+00"},
        {"ARRAY['2026-01-01 23:30:00+00'::timestamptz, 'infinity', NULL]", "timestamp with time zone[]",
         R"({"2026-01-01 23:30:00+00",infinity,NULL})"},
        {"'[0:1]={2026-01-01 23:30:00+00,2026-01-02 23:30:00+00}'::timestamptz[]",
         "timestamp with time zone[]", R"([0:1]={"2026-01-01 23:30:00+00","2026-01-02 23:30:00+00"})"},
        {"tstzrange('2026-01-01 23:30:00+00', NULL, '(]')", "tstzrange", R"(("2026-01-01 23:30:00+00",))"},
        {"'empty'::tstzrange", "tstzrange", "empty"},
        {"ARRAY[tstzrange('2026-01-01 23:30:00+00', '2026-01-02 23:30:00+00')]", "tstzrange[]",
         R"-({"[\"2026-01-01 23:30:00+00\",\"2026-01-02 23:30:00+00\")"})-"},
        {"'2026-01-01'::date", "date", "2026-01-01"},
        {"'infinity'::date", "date", "infinity"},
        {"'0044-03-15 BC'::date", "date", "0044-03-15 BC"},
        {"'24:00:00'::time", "time without time zone", "24:00:00"},
        {"'12:00:00+05:30'::timetz", "time with time zone", "12:00:00+05:30"},
        {"'1 year 2 days 03:04:05.6'::interval", "interval", "1 year 2 days 03:04:05.6"},
        {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
        {"'{\"b\": 1, \"a\":  1.10}'::json", "json", "{\"b\": 1, \"a\":  1.10}"},
        {"'{\"b\": 1, \"a\":  1.10}'::jsonb", "jsonb", "{\"a\": 1.10, \"b\": 1}"},
        {"'null'::jsonb", "jsonb", "null"},
        {"'$.a'::jsonpath", "jsonpath", "$.\"a\""},
        {"'<a>1</a>'::xml", "xml", "<a>1</a>"},
        {"'10.0.0.1/8'::inet", "inet", "10.0.0.1/8"},
        {"'10.0.0.0/8'::cidr", "cidr", "10.0.0.0/8"},
        {"'08:00:2b:01:02:03'::macaddr", "macaddr", "08:00:2b:01:02:03"},
        {"B'0101'", "\"bit\"", "0101"},
        {"B'0101'::varbit", "bit varying", "0101"},
        {"'fat & rat'::tsquery", "tsquery", "'fat' & 'rat'"},
        {"'a fat cat'::tsvector", "tsvector", "'a' 'cat' 'fat'"},
        {"ARRAY[[1,2],[3,NULL]]", "integer[]", "{{1,2},{3,NULL}}"},
        {"ARRAY['a', 'NULL', '', NULL, 'b,\"c\\']", "text[]", R"({a,"NULL","",NULL,"b,\"c\\"})"},
        {"'{}'::int[]", "integer[]", "{}"},
        {"'[1,5)'::int4range", "int4range", "[1,5)"},
        {"ROW(1, 'a', NULL)::pair", "pair", "(1,a,)"},
        {"'sad'::mood", "mood", "sad"},
        {"7::positive", "integer", "7", ValueKind::integer},
        {"ARRAY[moment('2026-01-01 23:30:00+00')]::moment[]", "moment[]", R"({"2026-01-01 23:30:00+00"})"},
        {"'(1,2)'::point", "point", "(1,2)"},
        {"'((0,0),(1,1))'::box", "box", "(1,1),(0,0)"},
        {"'<(0,0),1>'::circle", "circle", "<(0,0),1>"},
        {"4294967295::oid", "oid", "4294967295"},
        {"'pg_class'::regclass", "regclass", "pg_class"},
        {"'(0,7)'::tid", "tid", "(0,7)"},
        {"'16/B374D848'::pg_lsn", "pg_lsn", "16/B374D848"},
        {"NULL::int", "integer", "", ValueKind::null},
    };
}

std::unique_ptr<Target> prepared(const TestDatabase& database) {
    auto target = database.connect();
    execute_all(
        *target,
        {"CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')", "CREATE TYPE pair AS (a int, b text, c date)",
         "CREATE DOMAIN positive AS int CHECK (VALUE > 0)", "CREATE DOMAIN moment AS timestamptz",
         "SET TimeZone = 'Asia/Kolkata'", "SET lc_monetary = 'C'", "SET IntervalStyle = 'postgres'"});
    return target;
}

}  // namespace

TEST_CASE("PostgreSQL: every type comes out in its exact form, whatever the session's settings",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = prepared(database);
    execute_all(*target, {"SET DateStyle = German", "SET bytea_output = escape", "SET extra_float_digits = 0",
                          "SET lc_monetary = 'C'"});
    target->begin(Isolation::repeatable_read);
    for (const Sample& sample : samples()) {
        CAPTURE(sample.sql);
        const RowSet rows = run(*target, "SELECT " + sample.sql + " AS value");
        CHECK(rows.columns()[0].type == sample.type);
        CHECK(rows.at(0, 0).kind == sample.kind);
        CHECK(rows.text(0, 0) == sample.text);
        CHECK(target->describe(plain_sql("SELECT " + sample.sql + " AS value"), {}) == rows.columns());
    }
}

TEST_CASE("PostgreSQL: what came out goes back in as the same value", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = prepared(database);
    target->begin(Isolation::repeatable_read);
    for (const Sample& sample : samples()) {
        CAPTURE(sample.sql);
        const RowSet rows = run(*target, "SELECT " + sample.sql + " AS value");
        const RowSet again =
            target->query("SELECT CAST($1 AS " + rows.columns()[0].type + ") AS value", {rows.value(0, 0)});
        CHECK(again.at(0, 0) == rows.at(0, 0));
    }
}

TEST_CASE("PostgreSQL: begin leaves the user's settings alone, save what the evidence needs", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target, {"SET TimeZone = 'Europe/Berlin'", "SET IntervalStyle = 'iso_8601'",
                          "SET search_path = pg_catalog", "SET DateStyle = 'SQL, DMY'",
                          "SET extra_float_digits = 3", "SET synchronous_commit = remote_write"});
    const auto setting = [&](const std::string& name) { return target->query("SHOW " + name).text(0, 0); };
    target->begin(Isolation::repeatable_read);
    CHECK(setting("TimeZone") == "Europe/Berlin");
    CHECK(setting("IntervalStyle") == "iso_8601");
    CHECK(setting("search_path") == "pg_catalog");
    CHECK(setting("DateStyle") == "ISO, DMY");
    CHECK(setting("row_security") == "off");
    CHECK(setting("extra_float_digits") == "3");
    CHECK(setting("synchronous_commit") == "remote_write");
    CHECK(setting("transaction_isolation") == "repeatable read");
    target->rollback();
    CHECK(setting("DateStyle") == "SQL, DMY");
    CHECK(setting("row_security") == "on");

    execute_all(*target, {"SET synchronous_commit = off", "SET extra_float_digits = -3"});
    target->begin(Isolation::read_committed);
    CHECK(setting("synchronous_commit") == "on");
    CHECK(setting("extra_float_digits") == "1");
    CHECK(setting("transaction_isolation") == "read committed");
}

TEST_CASE("PostgreSQL: the name of a type that is out of the search path can be cast to", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target, {"CREATE SCHEMA \"App\"", "CREATE TYPE \"App\".\"Mood\" AS ENUM ('sad', 'ok')",
                          "CREATE TABLE t (mood \"App\".\"Mood\" PRIMARY KEY)",
                          "INSERT INTO t VALUES ('sad'), ('ok')"});
    const RowSet rows = run(*target, "SELECT mood FROM t ORDER BY mood");
    CHECK(rows.columns()[0].type == "\"App\".\"Mood\"");
    const std::vector<Key> keys{rows.key(1, {0})};
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = types(rows);
    CHECK(texts(target->query(with_macro("SELECT mood FROM t WHERE ", SqlPiece::Kind::affected, {"mood"}),
                              scope)) == std::vector<std::string>{"ok"});
}

TEST_CASE("PostgreSQL: a text with a NUL byte is refused rather than cut off", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const Value value = Value::text(std::string{"a\0b", 3});
    CHECK(error_of<DatabaseError>([&] { target->query("SELECT $1::text", {value}); }).sqlstate() == "22021");
}

namespace {

/// Plans of a statement, one line a node.
std::string plan_of(Target& target, SqlTemplate sql, const Scope& scope) {
    sql.pieces.front().text = "EXPLAIN (COSTS OFF) " + sql.pieces.front().text;
    std::string plan;
    for (const std::string& line : texts(target.query(sql, scope))) plan += line + "\n";
    return plan;
}

}  // namespace

TEST_CASE("PostgreSQL: ranges and affected keys use the index, for ctid its own scans", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE t (a integer, b text, c integer, PRIMARY KEY (a, b))",
                 "CREATE UNIQUE INDEX single ON t (c)",
                 "INSERT INTO t SELECT i, i::text, i FROM generate_series(1, 20000) i", "ANALYZE t"});
    Scope scope;
    scope.range = {Key{Value::integer(100)}, Key{Value::integer(200)}};
    scope.range_types = {"integer"};
    const std::vector<Key> keys{{Value::integer(7)}, {Value::integer(9)}};
    scope.affected = &keys;
    scope.affected_types = {"integer"};
    const auto plan = [&](SqlPiece::Kind kind, const std::vector<std::string>& columns) {
        return plan_of(*target, with_macro("SELECT c FROM t WHERE ", kind, columns), scope);
    };
    CHECK(plan(SqlPiece::Kind::batch, {"c"}).find("Index Cond: ((c > 100) AND (c <= 200))") !=
          std::string::npos);
    CHECK(plan(SqlPiece::Kind::affected, {"c"}).find("Index Cond: (c = ANY (") != std::string::npos);

    scope.range = {Key{Value::text("(0,5)")}, Key{Value::text("(1,2)")}};
    const std::vector<Key> addresses{{Value::text("(0,5)")}};
    scope.affected = &addresses;
    scope.range_types = scope.affected_types = {"tid"};
    CHECK(plan(SqlPiece::Kind::batch, {"ctid"}).find("Tid Range Scan") != std::string::npos);
    CHECK(plan(SqlPiece::Kind::affected, {"ctid"}).find("Tid Scan") != std::string::npos);

    const std::vector<Key> pairs{{Value::integer(7), Value::text("7")},
                                 {Value::integer(9), Value::text("9")}};
    scope.range = {pairs.front(), pairs.back()};
    scope.affected = &pairs;
    scope.range_types = scope.affected_types = {"integer", "text"};
    CHECK(plan(SqlPiece::Kind::batch, {"a", "b"}).find("Index Cond: ((ROW(a, b) > ROW(7, '7'::text))") !=
          std::string::npos);
    CHECK(plan(SqlPiece::Kind::affected, {"a", "b"}).find("using t_pkey") != std::string::npos);
}
