#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Texts = std::vector<std::string>;

namespace {

Engine each_engine() {
    return GENERATE(Engine::postgresql, Engine::sqlite);
}

/// users 1 to 5, and memberships of two tenants.
std::unique_ptr<Target> prepared(const TestDatabase& database) {
    auto target = database.connect();
    execute_all(*target, {"CREATE TABLE users (id integer PRIMARY KEY, name text)",
                          "INSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, ''), (5, 'e')",
                          "CREATE TABLE members (tenant integer, email text, PRIMARY KEY (tenant, email))",
                          "INSERT INTO members VALUES (1, 'a'), (1, 'b'), (2, 'a'), (2, 'c')"});
    return target;
}

Key key(const RowSet& rows, std::size_t row) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < rows.width(); ++i) all.push_back(i);
    return rows.key(row, all);
}

}  // namespace

TEST_CASE("A result has names, origins and values", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const std::string schema = database.engine() == Engine::postgresql ? "public" : "main";
    const RowSet rows = run(*target, "SELECT id, name AS label, id + 1 AS next FROM users ORDER BY id");
    CHECK(column_names(rows.columns()) == Texts{"id", "label", "next"});
    CHECK(rows.columns()[0].origin_table == schema + ".users");
    CHECK(rows.columns()[1].origin_table == schema + ".users");
    CHECK(rows.columns()[1].origin_column == "name");
    CHECK(rows.columns()[2].origin_table.empty());
    CHECK(texts(rows) == Texts{"1|a|2", "2|b|3", "3|NULL|4", "4||5", "5|e|6"});
    CHECK(rows.at(0, 0).kind == ValueKind::integer);
    CHECK(rows.at(0, 1).kind == ValueKind::text);
    CHECK(rows.at(2, 1).kind == ValueKind::null);
    CHECK(rows.at(3, 1).kind == ValueKind::text);
}

TEST_CASE("RETURNING gives the changed rows", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    target->begin(Isolation::repeatable_read);
    const RowSet rows = run(*target, "UPDATE users SET name = name || '!' WHERE id < 3 RETURNING id, name");
    CHECK(rows.size() == 2);
    CHECK(run(*target, "UPDATE users SET name = 'x' WHERE id < 0 RETURNING id, name").width() == 2);
    CHECK(run(*target, "UPDATE users SET name = 'x'").width() == 0);
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("Two columns of one name come out both", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const std::string sql = "SELECT u.id, m.tenant AS id FROM users u JOIN members m ON m.tenant = u.id";
    CHECK(column_names(run(*target, sql).columns()) == Texts{"id", "id"});
    CHECK(column_names(target->describe(plain_sql(sql), {})) == Texts{"id", "id"});
}

TEST_CASE("The tool's own statements take their values as parameters", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const std::string insert = "INSERT INTO users (id, name) VALUES ($1, $2)";
    const std::string odd = "it's \"odd\" \\ {NULL}, $1; --\n\xF0\x9F\x98\x80";
    target->query(insert, {Value::integer(10), Value::text(odd)});
    target->query(insert, {Value::integer(11), Value{}});
    target->query(insert, {Value::integer(12), Value::text("")});
    CHECK(texts(target->query("SELECT name FROM users WHERE id >= $1 ORDER BY id", {Value::integer(10)})) ==
          Texts{odd, "NULL", ""});
    // by their numbers, wherever they stand
    CHECK(texts(target->query("SELECT id FROM users WHERE name = $2 AND id = $1",
                              {Value::integer(10), Value::text(odd)})) == Texts{"10"});
}

TEST_CASE(":batch is true for every row where the range is everything", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const SqlTemplate sql =
        with_macro("SELECT id FROM users WHERE ", SqlPiece::Kind::batch, {"id"}, " ORDER BY id");
    CHECK(target->query(sql, {}).size() == 5);
}

TEST_CASE(":batch keeps to the range: above its lower bound, up to its upper one", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const SqlTemplate sql = with_macro("SELECT id FROM users u WHERE NOT ", SqlPiece::Kind::batch, {"u.id"},
                                       " IS NOT TRUE ORDER BY id");
    Scope scope;
    scope.range_types = types(run(*target, "SELECT id FROM users"));
    scope.range = {Key{Value::integer(1)}, Key{Value::integer(3)}};
    CHECK(texts(target->query(sql, scope)) == Texts{"2", "3"});
    scope.range = {std::nullopt, Key{Value::integer(2)}};
    CHECK(texts(target->query(sql, scope)) == Texts{"1", "2"});
    scope.range = {Key{Value::integer(4)}, std::nullopt};
    CHECK(texts(target->query(sql, scope)) == Texts{"5"});
}

TEST_CASE(":batch of several columns compares them as a row", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const SqlTemplate sql = with_macro("SELECT tenant, email FROM members WHERE ", SqlPiece::Kind::batch,
                                       {"tenant", "email"}, " ORDER BY tenant, email");
    const RowSet all = target->query(sql, {});
    Scope scope;
    scope.range_types = types(all);
    scope.range = {key(all, 0), key(all, 2)};
    CHECK(texts(target->query(sql, scope)) == Texts{"1|b", "2|a"});
}

TEST_CASE(":affected is true for the affected keys and no other", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const SqlTemplate one =
        with_macro("SELECT id FROM users WHERE ", SqlPiece::Kind::affected, {"id"}, " ORDER BY id");
    const SqlTemplate two = with_macro("SELECT tenant, email FROM members WHERE ", SqlPiece::Kind::affected,
                                       {"tenant", "email"}, " ORDER BY tenant, email");
    Scope scope;
    CHECK(target->query(one, scope).empty());
    std::vector<Key> keys;
    scope.affected = &keys;
    CHECK(target->query(one, scope).empty());

    scope.affected_types = types(run(*target, "SELECT id FROM users"));
    keys = {{Value::integer(2)}, {Value::integer(5)}, {Value::integer(99)}, {Value::integer(2)}};
    CHECK(texts(target->query(one, scope)) == Texts{"2", "5"});
    keys.erase(keys.begin());
    CHECK(texts(target->query(one, scope)) == Texts{"2", "5"});
    keys.pop_back();
    CHECK(texts(target->query(one, scope)) == Texts{"5"});

    scope.affected_types = types(run(*target, "SELECT tenant, email FROM members"));
    keys = {{Value::integer(1), Value::text("b")},
            {Value::integer(2), Value::text("a")},
            {Value::integer(2), Value::text("b")}};
    CHECK(texts(target->query(two, scope)) == Texts{"1|b", "2|a"});
}

TEST_CASE(":affected still knows its keys after a rollback", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const SqlTemplate sql = with_macro("SELECT id FROM users WHERE ", SqlPiece::Kind::affected, {"id"});
    const std::vector<Key> keys{{Value::integer(2)}};
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = types(run(*target, "SELECT id FROM users"));
    for (int attempt = 0; attempt < 3; ++attempt) {
        target->begin(Isolation::repeatable_read);
        CHECK(texts(target->query(sql, scope)) == Texts{"2"});
        target->rollback();
    }
    target->begin(Isolation::read_only);
    CHECK(texts(target->query(sql, scope)) == Texts{"2"});
    CHECK(target->commit().outcome == Outcome::committed);
    CHECK(texts(target->query(sql, scope)) == Texts{"2"});
}

TEST_CASE("Both macros stand in one statement, and more than once", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    SqlTemplate sql = with_macro("SELECT id FROM users WHERE ", SqlPiece::Kind::batch, {"id"}, " AND ");
    for (const SqlPiece& piece : with_macro("", SqlPiece::Kind::affected, {"id"}, " AND ").pieces)
        sql.pieces.push_back(piece);
    for (const SqlPiece& piece : with_macro("", SqlPiece::Kind::affected, {"users.id"}, " AND ").pieces)
        sql.pieces.push_back(piece);
    for (const SqlPiece& piece : with_macro("", SqlPiece::Kind::batch, {"users.id"}).pieces)
        sql.pieces.push_back(piece);
    const std::vector<Key> keys{{Value::integer(1)}, {Value::integer(3)}, {Value::integer(5)}};
    Scope scope;
    scope.range = {Key{Value::integer(1)}, Key{Value::integer(4)}};
    scope.affected = &keys;
    scope.range_types = scope.affected_types = types(run(*target, "SELECT id FROM users"));
    CHECK(texts(target->query(sql, scope)) == Texts{"3"});
}

TEST_CASE("A macro that names another number of columns than the key has is an error that quotes it",
          "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const SqlPiece::Kind kind = GENERATE(SqlPiece::Kind::batch, SqlPiece::Kind::affected);
    const SqlTemplate sql = with_macro("SELECT 1 FROM members WHERE ", kind, {"tenant"});
    const std::vector<Key> keys{{Value::integer(1), Value::text("b")}};
    Scope scope;
    scope.range = {keys.front(), keys.front()};
    scope.affected = &keys;
    const auto error = error_of<Error>([&] { target->query(sql, scope); });
    CHECK(error.code() == ExitCode::usage);
    CHECK(std::string{error.what()}.find(sql.pieces[1].text + " names 1 column, but the key has 2 columns") ==
          0);
}

TEST_CASE("A query is streamed in pieces", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    target->begin(Isolation::read_only);
    const std::size_t size = GENERATE(1U, 2U, 5U, 100U);
    std::vector<std::size_t> sizes;
    Texts all;
    target->stream(plain_sql("SELECT id FROM users ORDER BY id -- the end"), size, [&](RowSet&& piece) {
        sizes.push_back(piece.size());
        for (const std::string& text : texts(piece)) all.push_back(text);
        target->query("SELECT count(*) FROM users");  // the target may be used meanwhile
    });
    CHECK(all == Texts{"1", "2", "3", "4", "5"});
    for (const std::size_t piece : sizes) CHECK((piece > 0 && piece <= size));

    std::size_t pieces = 0;
    target->stream(plain_sql("SELECT id, name FROM users WHERE id < 0"), size, [&](RowSet&& piece) {
        ++pieces;
        CHECK(column_names(piece.columns()) == Texts{"id", "name"});
    });
    CHECK(pieces == 1);
    CHECK_THROWS_AS(target->stream(plain_sql("SELECT nothing"), size, [](RowSet&&) {}), DatabaseError);
}

TEST_CASE("What a change returns is streamed in pieces", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    target->begin(Isolation::repeatable_read);
    const std::size_t size = GENERATE(1U, 2U, 5U, 100U);
    const std::string update = "UPDATE users SET name = id || 'x' WHERE id ";
    std::vector<std::size_t> sizes;
    RowSet all;
    target->stream_change(plain_sql(update + "> 0 RETURNING id, name, 1 AS one -- the end"), size,
                          [&](RowSet&& piece) {
                              sizes.push_back(piece.size());
                              if (all.columns().empty()) all = RowSet(piece.columns());
                              for (std::size_t row = 0; row < piece.size(); ++row) all.add_row(piece, row);
                          });
    for (const std::size_t piece : sizes) CHECK((piece > 0 && piece <= size));
    CHECK(texts(all) == Texts{"1|1x|1", "2|2x|1", "3|3x|1", "4|4x|1", "5|5x|1"});
    CHECK(all.columns() == run(*target, update + "> 0 RETURNING id, name, 1 AS one").columns());
    CHECK(texts(run(*target, "SELECT count(*) FROM users WHERE name = id || 'x'")) == Texts{"5"});

    std::size_t pieces = 0;
    target->stream_change(plain_sql(update + "< 0 RETURNING id, name"), size, [&](RowSet&& piece) {
        ++pieces;
        CHECK(column_names(piece.columns()) == Texts{"id", "name"});
    });
    CHECK(pieces == 1);
}

TEST_CASE("A change that is streamed may fail, or whoever takes its rows", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    target->begin(Isolation::repeatable_read);
    const auto full = [](RowSet&&) { throw std::runtime_error("the disk is full"); };
    CHECK_THROWS_WITH(target->stream_change(plain_sql("DELETE FROM users RETURNING id"), 2, full),
                      "the disk is full");
    CHECK(texts(run(*target, "SELECT 1")) == Texts{"1"});
    const auto nothing = [](RowSet&&) {};
    CHECK_THROWS_AS(target->stream_change(plain_sql("DELETE FROM nowhere RETURNING id"), 2, nothing),
                    DatabaseError);
    target->rollback();
    CHECK(texts(run(*target, "SELECT count(*) FROM users")) == Texts{"5"});
}

TEST_CASE("An attempt that gives up leaves everything as it was", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    target->begin(Isolation::repeatable_read);
    execute_all(*target, {"UPDATE users SET name = 'before'"});
    const std::vector<Key> keys{{Value::integer(1)}, {Value::integer(4)}};
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = types(run(*target, "SELECT id FROM users"));
    const SqlTemplate affected =
        with_macro("SELECT id FROM users WHERE ", SqlPiece::Kind::affected, {"id"}, "");
    const bool fails = GENERATE(false, true);
    CHECK_FALSE(target->attempt([&] {
        execute_all(*target, {"UPDATE users SET name = 'within'", "DELETE FROM members"});
        CHECK(target->query(affected, scope).size() == 2);
        if (fails) CHECK_THROWS_AS(run(*target, "INSERT INTO users VALUES (1, 'again')"), DatabaseError);
        return false;
    }));
    CHECK(texts(run(*target, "SELECT DISTINCT name FROM users")) == Texts{"before"});
    CHECK(texts(run(*target, "SELECT count(*) FROM members")) == Texts{"4"});
    CHECK(target->query(affected, scope).size() == 2);  // the keys are there although they were undone
    CHECK(target->attempt([&] {
        execute_all(*target, {"UPDATE users SET name = 'after'"});
        return true;
    }));
    CHECK(target->commit().outcome == Outcome::committed);
    CHECK(texts(run(*target, "SELECT DISTINCT name FROM users")) == Texts{"after"});
}

TEST_CASE("describe tells the columns and executes nothing", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    const SqlTemplate sql =
        with_macro("SELECT id, name FROM users WHERE ", SqlPiece::Kind::batch, {"id"}, " -- the end");
    const std::vector<Column> columns = target->describe(sql, {});
    CHECK(columns == target->query(sql, {}).columns());
    CHECK_THROWS_AS(target->describe(plain_sql("SELECT nmae FROM users"), {}), DatabaseError);
}

TEST_CASE("prepare finds mistakes and executes nothing", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    SqlTemplate sql =
        with_macro("UPDATE users SET name = 'x' WHERE ", SqlPiece::Kind::batch, {"id"}, " RETURNING id");
    Scope scope;
    scope.range = {Key{Value::integer(1)}, Key{Value::integer(3)}};
    scope.range_types = types(run(*target, "SELECT id FROM users"));
    const auto columns = target->prepare(sql, scope);
    if (database.engine() == Engine::sqlite) {
        REQUIRE(columns);
        CHECK(column_names(*columns) == Texts{"id"});
    } else {
        CHECK(!columns);
    }
    CHECK(texts(target->query("SELECT count(*) FROM users WHERE name = 'x'")) == Texts{"0"});
    CHECK_THROWS_AS(target->prepare(plain_sql("UPDATE users SET nmae = 'x'"), {}), DatabaseError);
    CHECK_THROWS_AS(target->prepare(plain_sql("UPDAET users SET name = 'x'"), {}), DatabaseError);
    CHECK_NOTHROW(target->prepare(sql, scope));

    target->begin(Isolation::repeatable_read);
    target->prepare(sql, scope);
    run(*target, "INSERT INTO users VALUES (6, 'f')");
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("A definition has no bind parameters of its own", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    CHECK_THROWS_AS(run(*target, "SELECT id FROM users WHERE id = $1"), DatabaseError);
}

TEST_CASE("A table that changes while statements are kept compiled is seen as it is", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = prepared(database);
    CHECK(run(*target, "SELECT * FROM users").width() == 2);
    target->query("ALTER TABLE users ADD COLUMN email text");
    CHECK(column_names(run(*target, "SELECT * FROM users").columns()) == Texts{"id", "name", "email"});
}
