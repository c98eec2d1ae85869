#include "plan/range_safety.hpp"

#include "definition_text.hpp"

using namespace datachange;

namespace {

constexpr Engine both[] = {Engine::postgresql, Engine::sqlite};
const std::string before =
    "-- table: t\n-- identifier: id\n-- audit:pre\nSELECT id FROM t\n-- audit:change\n";

SqlTemplate change(const std::string& sql, Engine engine) {
    return parse(before + sql, engine).steps.at(0).change.at(0).sql;
}

SqlTemplate query(const std::string& sql, Engine engine) {
    const std::string text = "-- table: t\n-- identifier: id\n-- audit:pre\n" + sql +
                             "\n-- audit:change\nDELETE FROM t RETURNING id";
    return *parse(text, engine).steps.at(0).pre;
}

std::string obstacle(const SqlTemplate& sql, Engine engine) {
    const auto found = range_obstacle(sql, engine);
    return found ? found->what : "";
}

std::string in_query(const std::string& sql, Engine engine) {
    return obstacle(query(sql, engine), engine);
}
std::string in_change(const std::string& sql, Engine engine) {
    return obstacle(change(sql, engine), engine);
}

}  // namespace

TEST_CASE("a range is right where each row stands for itself") {
    for (const Engine engine : both) {
        for (const char* sql :
             {"SELECT id FROM t WHERE a IS NULL AND :batch(id)",
              "SELECT DISTINCT id FROM t WHERE :batch(id) ORDER BY id",
              "SELECT t.id FROM t JOIN (SELECT a, min(b) AS b FROM u GROUP BY a HAVING count(*) > 1) f ON "
              "f.a = t.a WHERE :batch(t.id)",
              "SELECT id FROM t WHERE a > (SELECT max(b) FROM u) AND :batch(id)",
              "SELECT id, (SELECT count(*) FROM u WHERE u.a = t.a LIMIT 1) FROM t WHERE :batch(id)",
              "SELECT id FROM t WHERE id IN (SELECT a FROM u UNION SELECT b FROM u) AND :batch(id)",
              "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND :batch(t.id))",
              "WITH r AS (SELECT id, row_number() OVER (PARTITION BY a) AS n FROM t) SELECT t.id FROM t JOIN "
              "r ON r.id = t.id "
              "WHERE r.n > 1 AND :batch(t.id)",
              "WITH r AS (SELECT id FROM t WHERE :batch(id)) SELECT id FROM r", "SELECT id FROM t"}) {
            INFO(sql);
            CHECK(in_query(sql, engine).empty());
        }
        for (const char* sql :
             {"DELETE FROM t WHERE a IN (SELECT a FROM u GROUP BY a) AND :batch(id) RETURNING id",
              "UPDATE t SET a = (SELECT sum(b) FROM u WHERE u.t = t.id) WHERE :batch(id) RETURNING id",
              "INSERT INTO t SELECT id FROM u WHERE :batch(u.id) ON CONFLICT (id) DO UPDATE SET a = 1 "
              "RETURNING id",
              "UPDATE t SET a = f.m FROM (SELECT b, max(c) AS m FROM u GROUP BY b LIMIT 5) f WHERE f.b = "
              "t.id AND :batch(t.id) "
              "RETURNING t.id"}) {
            INFO(sql);
            CHECK(in_change(sql, engine).empty());
        }
    }
}

TEST_CASE("a range changes the meaning of a query that looks at rows together") {
    for (const Engine engine : both) {
        CHECK(in_query("SELECT id, row_number() OVER (PARTITION BY a) FROM t WHERE :batch(id)", engine) ==
              "a window function");
        CHECK(in_query("SELECT id, sum(a) OVER w FROM t WHERE :batch(id) WINDOW w AS (ORDER BY b)", engine) ==
              "a window function");
        CHECK(in_query("SELECT max(id) AS id FROM t WHERE :batch(id)", engine) == "an aggregate");
        CHECK(in_query("SELECT count(*) AS id FROM t WHERE :batch(id)", engine) == "an aggregate");
        CHECK(in_query("SELECT 1 + coalesce(sum(a), 0) AS id FROM t WHERE :batch(id)", engine) ==
              "an aggregate");
        CHECK(in_query("SELECT a FROM t WHERE :batch(id) GROUP BY a", engine) == "GROUP BY");
        CHECK(in_query("SELECT id FROM t WHERE :batch(id) LIMIT 5", engine) == "LIMIT");
        CHECK(in_query("SELECT id FROM t WHERE :batch(id) UNION SELECT 1", engine) == "UNION");
        CHECK(in_query("SELECT id FROM t EXCEPT SELECT id FROM t WHERE :batch(id)", engine) == "EXCEPT");
        CHECK(in_query("SELECT id FROM t INTERSECT SELECT id FROM t WHERE :batch(id)", engine) ==
              "INTERSECT");
    }
    CHECK(in_query("SELECT 1 AS id FROM t WHERE :batch(id) HAVING true", Engine::postgresql) == "HAVING");
    CHECK(in_query("SELECT id FROM t WHERE :batch(id) OFFSET 5", Engine::postgresql) == "OFFSET");
    CHECK(in_query("SELECT id FROM t WHERE :batch(id) FETCH FIRST 5 ROWS ONLY", Engine::postgresql) ==
          "LIMIT");
    CHECK(in_query("SELECT DISTINCT ON (a) id FROM t WHERE :batch(id)", Engine::postgresql) == "DISTINCT ON");
    CHECK(in_query("SELECT mode() WITHIN GROUP (ORDER BY a) AS id FROM t WHERE :batch(id)",
                   Engine::postgresql) == "an aggregate");
    CHECK(in_query("SELECT my_own(a) FILTER (WHERE b) AS id FROM t WHERE :batch(id)", Engine::postgresql) ==
          "an aggregate");
    CHECK(in_query("SELECT pg_catalog.max(a) AS id FROM t WHERE :batch(id)", Engine::postgresql) ==
          "an aggregate");
}

TEST_CASE("levels above the range count, levels beside it do not") {
    for (const Engine engine : both) {
        CHECK(in_query("SELECT max(id) AS id FROM (SELECT id FROM t WHERE :batch(id)) x", engine) ==
              "an aggregate");
        CHECK(in_query("SELECT id FROM (SELECT id FROM (SELECT id FROM t WHERE :batch(id)) x) y LIMIT 5",
                       engine) == "LIMIT");
        CHECK(in_query("SELECT id FROM t WHERE id IN (SELECT id FROM u WHERE :batch(id)) GROUP BY id",
                       engine) == "GROUP BY");
        CHECK(in_query("SELECT * FROM (SELECT row_number() OVER (ORDER BY a) AS n, id FROM t WHERE "
                       ":batch(id)) x WHERE n > 1",
                       engine) == "a window function");
        CHECK(
            in_change(
                "DELETE FROM t WHERE id IN (SELECT max(id) FROM t WHERE :batch(id) GROUP BY a) RETURNING id",
                engine) == (engine == Engine::postgresql ? "GROUP BY" : "an aggregate"));
        CHECK(in_change("INSERT INTO t SELECT a, count(*) FROM u WHERE :batch(u.id) GROUP BY a RETURNING id",
                        engine) == (engine == Engine::postgresql ? "GROUP BY" : "an aggregate"));
        CHECK(in_change("WITH r AS (SELECT id FROM t WHERE :batch(id)) INSERT INTO u SELECT id FROM r LIMIT "
                        "5 RETURNING id",
                        engine) == "LIMIT");
    }
}

TEST_CASE("rows that a range picks in a CTE are followed to where they are read") {
    for (const Engine engine : both) {
        CHECK(in_change("WITH part AS (SELECT id, a FROM t WHERE :batch(id)),\n"
                        "ranked AS (SELECT id, row_number() OVER (PARTITION BY a) AS n FROM part)\n"
                        "DELETE FROM t WHERE id IN (SELECT id FROM ranked WHERE n > 1) RETURNING id",
                        engine) == "a window function");
        CHECK(in_change("WITH a AS (SELECT id FROM t WHERE :batch(id)), b(x) AS (SELECT id FROM a),\n"
                        "c AS (SELECT max(x) AS m FROM B)\n"
                        "DELETE FROM t WHERE id = (SELECT m FROM c) RETURNING id",
                        engine) == "an aggregate");
    }
    CHECK(in_query("WITH RECURSIVE r AS (SELECT id FROM t WHERE :batch(id) UNION ALL SELECT id FROM r) "
                   "SELECT id FROM r",
                   Engine::postgresql) == "UNION");
}

TEST_CASE("an obstacle is named with its place in the file") {
    const auto check_place = [](const SqlTemplate& sql, Engine engine, std::size_t line, std::size_t column) {
        const auto found = range_obstacle(sql, engine);
        REQUIRE(found);
        CHECK(found->at.line == line);
        CHECK(found->at.column == column);
    };
    for (const Engine engine : both) {
        check_place(query("SELECT id,\n  sum(a) OVER (ORDER BY b)\nFROM t WHERE :batch(id)", engine), engine,
                    5, 3);
        check_place(query("SELECT id FROM t\nWHERE :batch(id) AND\n true LIMIT 5", engine), engine, 6,
                    engine == Engine::postgresql ? 13 : 7);
        check_place(query("SELECT id FROM t WHERE :batch(id)\nGROUP BY id", engine), engine, 5,
                    engine == Engine::postgresql ? 10 : 1);
    }
}

TEST_CASE("min and max of several values are no aggregates on SQLite") {
    CHECK(
        in_query("SELECT id, max(a, b) FROM t WHERE min(a, (b)) > 1 AND :batch(id)", Engine::sqlite).empty());
    CHECK(in_query("SELECT max((a)) FROM t WHERE :batch(id)", Engine::sqlite) == "an aggregate");
    CHECK(in_query("SELECT offset, total, filter FROM t WHERE :batch(id)", Engine::sqlite).empty());
}

TEST_CASE("a statement that PostgreSQL's parser of today does not know is judged by its tokens") {
    const auto judged = [](const std::string& condition) {
        return in_query("SELECT id, JSON_SERIALIZE(a RETURNING text) AS x FROM t WHERE " + condition,
                        Engine::postgresql);
    };
    CHECK(judged(":batch(id)").empty());
    CHECK(judged(":batch(id) AND a IN (SELECT max(b) FROM u GROUP BY c)").empty());
    CHECK(judged(":batch(id) GROUP BY id") == "GROUP BY");
    CHECK(judged(":batch(id) OFFSET 3") == "OFFSET");
    CHECK(judged(":batch(id) FETCH FIRST ROW ONLY") == "LIMIT");
    CHECK(judged("id IN (SELECT DISTINCT ON (a) id FROM t WHERE :batch(id))") == "DISTINCT ON");
    CHECK(judged("id IN (SELECT my_own(id) FILTER (WHERE a) FROM t WHERE :batch(id))") == "an aggregate");
    CHECK(judged("id IN (SELECT JSON_ARRAYAGG(id) FROM t WHERE :batch(id))") == "an aggregate");
}

TEST_CASE("text that is no SQL at all is left to the server") {
    for (const Engine engine : both) {
        CHECK_FALSE(range_obstacle(plain_sql("SELECT FROM WHERE"), engine));
        CHECK_FALSE(range_obstacle({{{SqlPiece::Kind::text, "'never closed ", {}, {}},
                                     {SqlPiece::Kind::batch, ":batch(id)", {"id"}, {}}},
                                    {}},
                                   engine));
    }
    CHECK(in_query("SELECT SELECT WHERE :batch(id)", Engine::postgresql).empty());
}

TEST_CASE("the names that RETURNING gives are known where the text tells them") {
    const auto names = [](const std::string& sql) {
        return returning_names(change(sql, Engine::postgresql), Engine::postgresql);
    };
    using Names = std::vector<std::string>;
    CHECK(names("DELETE FROM t WHERE :batch(id) RETURNING Id, t.\"Name\", a + 1 AS b") ==
          Names{"id", "Name", "b"});
    CHECK(names("WITH x AS (DELETE FROM u RETURNING z) UPDATE t SET a = 1 RETURNING id") == Names{"id"});
    CHECK_FALSE(names("DELETE FROM t RETURNING *"));
    CHECK_FALSE(names("DELETE FROM t RETURNING id, t.*"));
    CHECK_FALSE(names("DELETE FROM t RETURNING id, lower(name)"));
    CHECK_FALSE(names("WITH x AS (DELETE FROM u RETURNING z) SELECT z FROM x"));
    CHECK_FALSE(returning_names(plain_sql("DELETE FROM"), Engine::postgresql));
    CHECK_FALSE(returning_names(plain_sql(""), Engine::postgresql));
    CHECK_FALSE(returning_names(change("DELETE FROM t RETURNING id", Engine::sqlite), Engine::sqlite));
}

TEST_CASE("a statement too deep for a parse tree is judged by its tokens, quickly") {
    const auto repeated = [](const std::string& what, int times) {
        std::string text;
        for (int i = 0; i < times; ++i) text += what;
        return text;
    };
    for (const Engine engine : both) {
        const std::string sum = "SELECT id FROM t WHERE :batch(id) AND a = 1" + repeated(" + 1", 50'000);
        CHECK(in_query(sum, engine).empty());
        CHECK(in_query(sum + " LIMIT 5", engine) == "LIMIT");
        CHECK(
            in_query("SELECT id FROM t WHERE " + repeated("(", 50'000) + ":batch(id)" + repeated(")", 50'000),
                     engine)
                .empty());
        CHECK(in_query("SELECT id FROM t WHERE true" + repeated(" AND :batch(id)", 1'000), engine).empty());
        CHECK(
            in_query("SELECT id FROM t WHERE :batch(id) AND id IN (1" + repeated(", 1", 50'000) + ")", engine)
                .empty());
    }
}
