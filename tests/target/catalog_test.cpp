#include <algorithm>

#include "core/text.hpp"
#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Texts = std::vector<std::string>;

namespace {

Engine each_engine() {
    return GENERATE(Engine::postgresql, Engine::sqlite);
}

using Keys = std::vector<Texts>;

}  // namespace

TEST_CASE("A table is known by its columns", "[contract]") {
    const TestDatabase database(each_engine());
    const bool postgres = database.engine() == Engine::postgresql;
    const auto target = database.connect();
    target->query(
        "CREATE TABLE users (id integer PRIMARY KEY, name varchar(20) NOT NULL, "
        "upper text GENERATED ALWAYS AS (upper(name)) STORED)");
    const TableInfo table = target->table("users");
    CHECK(table.name == "users");
    CHECK(table.id == (postgres ? "public.users" : "main.users"));
    CHECK(!table.foreign);
    REQUIRE(table.columns.size() == 3);
    CHECK(table.columns[0].name == "id");
    CHECK(lower(table.columns[0].type) == "integer");
    CHECK(table.columns[0].not_null);
    CHECK(table.columns[1].type == (postgres ? "character varying(20)" : "varchar(20)"));
    CHECK(table.columns[1].not_null);
    CHECK(!table.columns[1].generated);
    CHECK(!table.columns[2].not_null);
    CHECK(table.columns[2].generated);
    CHECK(table.unique_keys == Keys{{"id"}});
}

TEST_CASE("Only what is unique for all rows counts as a unique key", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(
        *target,
        {"CREATE TABLE t (a integer, b text, c text, d integer, PRIMARY KEY (a, b), UNIQUE (d))",
         "CREATE UNIQUE INDEX partial ON t (c) WHERE d > 0", "CREATE UNIQUE INDEX expression ON t (lower(c))",
         "CREATE UNIQUE INDEX mixed ON t (a, lower(c))", "CREATE INDEX plain ON t (c)",
         "CREATE UNIQUE INDEX whole ON t (c, a)"});
    const Keys keys = target->table("t").unique_keys;
    REQUIRE(keys.size() == 3);
    CHECK(keys.front() == Texts{"a", "b"});
    CHECK(std::count(keys.begin(), keys.end(), Texts{"d"}) == 1);
    CHECK(std::count(keys.begin(), keys.end(), Texts{"c", "a"}) == 1);
}

TEST_CASE("A unique index under another collation than its column's is none", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    const std::string other = database.engine() == Engine::postgresql ? "\"C\"" : "NOCASE";
    execute_all(*target, {"CREATE TABLE t (a text NOT NULL)",
                          "CREATE UNIQUE INDEX other ON t (a COLLATE " + other + ")"});
    CHECK(target->table("t").unique_keys.empty());
}

TEST_CASE("Names are understood as SQL writes them", "[contract]") {
    const TestDatabase database(each_engine());
    const bool postgres = database.engine() == Engine::postgresql;
    const auto target = database.connect();
    execute_all(*target, {R"(CREATE TABLE "User ""x""" ("Id" integer PRIMARY KEY))",
                          "CREATE TABLE plain (id integer)"});
    CHECK(target->table(R"("User ""x""")").id == (postgres ? R"(public.User "x")" : R"(main.User "x")"));
    CHECK(target->table(postgres ? R"(public . "User ""x""")" : R"(main . "User ""x""")")
              .columns.front()
              .name == "Id");
    CHECK(target->has_table("PLAIN"));
    CHECK(target->has_table(postgres ? "Public.Plain" : "Main.Plain"));
    CHECK(target->has_table("\"PLAIN\"") == !postgres);  // SQLite's names have no case
    CHECK(!target->has_table("other.plain"));
    for (const char* const name : {"", "a b", "\"plain", "plain.", "1a", "a.b.c.d", "plain; --"}) {
        CAPTURE(name);
        CHECK(!target->has_table(name));
        CHECK_THROWS_AS(target->table(name), Error);
    }
}

TEST_CASE("A view is known, without unique keys", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)", "CREATE VIEW v AS SELECT id FROM t"});
    CHECK(target->has_table("v"));
    const TableInfo view = target->table("v");
    CHECK(view.columns.size() == 1);
    CHECK(view.unique_keys.empty());
}

TEST_CASE("A table that is not there is an error that names a near one", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    target->query("CREATE TABLE customers (id integer)");
    CHECK(!target->has_table("custmers"));
    const auto error = error_of<Error>([&] { target->table("custmers"); });
    CHECK(error.code() == ExitCode::usage);
    CHECK(std::string{error.what()} == "no such table: custmers");
    CHECK(error.hint() == "did you mean customers?");
}

TEST_CASE("The journal's place is always qualified", "[contract]") {
    const TestDatabase database(each_engine());
    const bool postgres = database.engine() == Engine::postgresql;
    const auto target = database.connect();
    target->set_journal_schema("");
    CHECK(target->journal_prefix() == (postgres ? "\"public\"." : "main."));
    CHECK(target->journal_obstacle().empty());
    if (postgres) {
        target->set_journal_schema("Ops");
        CHECK(target->journal_prefix() == "\"Ops\".");
    } else {
        CHECK_THROWS_AS(target->set_journal_schema("ops"), Error);
    }
}

TEST_CASE("A writable target says nothing, and every target says what it is", "[contract]") {
    const TestDatabase database(each_engine());
    const bool postgres = database.engine() == Engine::postgresql;
    const auto target = database.connect();
    CHECK_NOTHROW(target->require_writable());
    CHECK(target->engine() == database.engine());
    CHECK(target->server_version().starts_with(postgres ? "PostgreSQL 1" : "SQLite 3."));
    CHECK(target->name() == (postgres ? database.address() : "sqlite:" + database.address()));
    CHECK(target->lock_clause() == (postgres ? " FOR UPDATE" : ""));
}

TEST_CASE("PostgreSQL: deferrable and inherited keys do not hold, INCLUDE columns do not count",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE later (id integer UNIQUE DEFERRABLE)",
                 "CREATE TABLE including (id integer, name text)",
                 "CREATE UNIQUE INDEX ON including (id) INCLUDE (name)",
                 "CREATE TABLE parent (id integer PRIMARY KEY)", "CREATE TABLE child () INHERITS (parent)"});
    CHECK(target->table("later").unique_keys.empty());
    CHECK(target->table("including").unique_keys == Keys{{"id"}});
    CHECK(target->table("parent").unique_keys.empty());
}

TEST_CASE("PostgreSQL: a partition goes by the name of its root", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE TABLE log (id integer, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
                 "CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"});
    CHECK(target->table("log").id == "public.log");
    CHECK(target->table("log").unique_keys == Keys{{"id", "day"}});
    CHECK(target->table("log_2026").id == "public.log");
    CHECK(run(*target, "SELECT day FROM log_2026").columns()[0].origin_table == "public.log");
}

TEST_CASE("PostgreSQL: the search path is followed, and a foreign table is told", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target,
                {"CREATE SCHEMA app", "CREATE TABLE app.things (id integer)", "CREATE EXTENSION postgres_fdw",
                 "CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw",
                 "CREATE FOREIGN TABLE far (id integer) SERVER other",
                 "CREATE TABLE mixed (id integer) PARTITION BY LIST (id)",
                 "CREATE FOREIGN TABLE mixed_1 PARTITION OF mixed FOR VALUES IN (1) SERVER other"});
    CHECK(!target->has_table("things"));
    CHECK(error_of<Error>([&] { target->table("thigs"); }).hint().find("did you mean") == std::string::npos);
    CHECK(error_of<Error>([&] { target->table("app.thigs"); }).hint() == "did you mean app.things?");
    target->query("SET search_path = app, public");
    CHECK(target->table("things").id == "app.things");
    CHECK(target->table("far").foreign);
    CHECK(target->table("mixed").foreign);
}

TEST_CASE("PostgreSQL: what is no table is not taken for one", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target, {"CREATE SEQUENCE counter", "CREATE TYPE pair AS (a integer)"});
    CHECK(!target->has_table("counter"));
    CHECK(!target->has_table("pair"));
}

TEST_CASE("PostgreSQL: a publication of all tables stands against a journal that is not there yet",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->query("CREATE PUBLICATION everything FOR ALL TABLES");
    CHECK(target->journal_obstacle().find("\"everything\"") != std::string::npos);
    target->query("CREATE TABLE " + target->journal_prefix() + "datachange_runs (id integer PRIMARY KEY)");
    CHECK(target->journal_obstacle().empty());
}

TEST_CASE("SQLite: keys of a rowid, of WITHOUT ROWID and of a virtual table", "[sqlite]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE rowid_key (a INTEGER PRIMARY KEY, b)",
                          "CREATE TABLE int_key (a INT PRIMARY KEY, b)",
                          "CREATE TABLE without (a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID",
                          "CREATE TABLE none (a, b)", "CREATE TABLE nocase (a TEXT COLLATE NOCASE UNIQUE)",
                          "CREATE VIRTUAL TABLE search USING fts5(body)"});
    CHECK(target->table("rowid_key").unique_keys == Keys{{"a"}});
    CHECK(target->table("rowid_key").columns[0].not_null);
    CHECK(target->table("int_key").unique_keys == Keys{{"a"}});
    CHECK(!target->table("int_key").columns[0].not_null);
    CHECK(target->table("without").unique_keys == Keys{{"b", "a"}});
    CHECK(target->table("without").columns[0].not_null);
    CHECK(target->table("none").unique_keys.empty());
    CHECK(target->table("nocase").unique_keys == Keys{{"a"}});
    CHECK(target->table("search").foreign);
    CHECK(target->table("search").columns.size() == 1);
    for (const char* const name : {"`nocase`", "[nocase]", "main.[nocase]", "NoCase"})
        CHECK(target->table(name).id == "main.nocase");
    CHECK(!target->has_table("temp.nocase"));
}
