#include <algorithm>
#include <set>

#include "target/pooler.hpp"
#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Texts = std::vector<std::string>;

namespace {

constexpr int batches = 8;  // the server plans for any values from the sixth time on

std::unique_ptr<Target> with_rows(const std::string& url) {
    auto target = connect_postgres(url, "datachange tests");
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY, name text)",
                          "INSERT INTO t SELECT i, 'name ' || i FROM generate_series(1, 80) AS i"});
    return target;
}

/// Ten rows of the table, changed as a batch does it.
RowSet change(Target& target, int batch) {
    const SqlTemplate sql =
        with_macro("UPDATE t SET name = name || '!' WHERE ", SqlPiece::Kind::batch, {"id"}, " RETURNING *");
    Scope scope;
    scope.range.after = Key{Value::integer(batch * 10)};
    scope.range.upto = Key{Value::integer(batch * 10 + 10)};
    scope.range_types = {"integer"};
    return target.query(sql, scope);
}

int prepared_statements(Target& target) {
    return std::stoi(target.query("SELECT count(*) FROM pg_prepared_statements").text(0, 0));
}

}  // namespace

TEST_CASE("PostgreSQL: what comes again is prepared, once", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = with_rows(database.address());
    int prepared = 0;
    for (int batch = 0; batch < batches; ++batch) {
        target->begin(Isolation::repeatable_read);
        CHECK(change(*target, batch).size() == 10);
        CHECK(counts(target->touched(), "public.t") == "0/10/0");
        if (batch == 2) prepared = prepared_statements(*target);
        if (batch > 2) CHECK(prepared_statements(*target) - prepared <= 1);  // the count itself
        CHECK(target->commit().outcome == Outcome::committed);
    }
    CHECK(prepared >= 3);
    CHECK(target->query("SELECT 1 FROM t WHERE name LIKE '%!'").size() == 80);
}

TEST_CASE("PostgreSQL: a table altered meanwhile costs one batch a retry, and the next ones nothing",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = with_rows(database.address());
    const auto other = database.connect();
    for (int batch = 0; batch < batches; ++batch) {
        if (batch == 4) other->query("ALTER TABLE t ADD COLUMN note text");
        target->begin(Isolation::repeatable_read);
        try {
            const std::size_t width = change(*target, batch).width();
            CHECK(width == (batch < 4 ? 2 : 3));
        } catch (const DatabaseError& error) {
            CHECK(batch == 4);
            CHECK(error.sqlstate() == "40001");
            CHECK(target->commit().outcome == Outcome::rolled_back);
            target->begin(Isolation::repeatable_read);
            CHECK(change(*target, batch).width() == 3);
        }
        CHECK(target->commit().outcome == Outcome::committed);
    }
    CHECK(target->query("SELECT 1 FROM t WHERE name LIKE '%!'").size() == 80);
}

TEST_CASE("PostgreSQL: tables that a definition makes anew may have other types", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    for (const std::string type : {"integer", "integer", "integer", "text", "timestamptz"}) {
        target->begin(Isolation::repeatable_read);
        run(*target, "CREATE TABLE made (x " + type + ")");
        for (int i = 0; i < 3; ++i)
            CHECK(run(*target, "SELECT * FROM made").columns()[0].type.starts_with(type.substr(0, 4)));
        run(*target, "DROP TABLE made");
        CHECK(target->commit().outcome == Outcome::committed);
    }
}

TEST_CASE("PostgreSQL: statements that are gone from the session are prepared again", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = with_rows(database.address());
    execute_all(*target, {"CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS "
                          "'BEGIN EXECUTE ''DEALLOCATE ALL''; END'"});
    for (int batch = 0; batch < batches; ++batch) {
        if (batch == 4) target->query("SELECT forget()");
        target->begin(Isolation::repeatable_read);
        CHECK(change(*target, batch).size() == 10);
        CHECK(target->commit().outcome == Outcome::committed);
    }
}

TEST_CASE("PostgreSQL: behind a pooler in transaction mode every statement finds its session", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    with_rows(database.address());
    const Pooler pooler(database.address());
    const auto target = connect_postgres(pooler.url(), "datachange tests");
    const auto other = connect_postgres(pooler.url(), "datachange tests");
    const auto third = connect_postgres(pooler.url(), "datachange tests");
    std::set<std::string> sessions;
    for (int batch = 0; batch < batches; ++batch) {
        Target& one = batch % 2 == 0 ? *target : *other;
        if (batch % 3 == 1) third->begin(Isolation::read_only);  // has the session that was used last
        one.begin(Isolation::repeatable_read);
        const std::string transaction = one.transaction_id();
        sessions.insert(one.query("SELECT pg_backend_pid()").text(0, 0));
        CHECK(change(one, batch).size() == 10);
        CHECK(counts(one.touched(), "public.t") == "0/10/0");
        CHECK(one.transaction_id() == transaction);
        CHECK(prepared_statements(one) == 0);
        CHECK(one.commit().outcome == Outcome::committed);
        third->rollback();
    }
    CHECK(sessions.size() > 1);
    CHECK(target->query("SELECT 1 FROM t WHERE name LIKE '%!'").size() == 80);
}
