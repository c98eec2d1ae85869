#include "definition_text.hpp"

using namespace datachange;

namespace {

using Kind = SqlPiece::Kind;

std::string pre_text(const std::string& condition) {
    return "-- table: t\n-- identifier: id\n-- audit:pre\nSELECT id FROM t WHERE " + condition +
           "\n-- audit:change\nDELETE FROM t RETURNING id;\n";
}

SqlTemplate pre(const std::string& condition, Engine engine = Engine::postgresql) {
    return *parse(pre_text(condition), engine).steps.at(0).pre;
}

void check_pre(const std::string& condition, const std::string& message, const std::string& hint,
               Engine engine = Engine::postgresql) {
    check_mistake(pre_text(condition), message, hint, engine);
}

std::string keyed(const std::string& keys, const std::string& rest) {
    return "-- table: t\n-- identifier: id\n-- audit:keys\n" + keys +
           "\n-- audit:pre\nSELECT id FROM t WHERE " + rest +
           "\n-- audit:change\nDELETE FROM t RETURNING id;\n";
}

}  // namespace

TEST_CASE("a macro is a piece of its own, with its arguments and its place") {
    const SqlTemplate sql = pre("a = 1\n  AND :batch(t.id) ORDER BY id");
    REQUIRE(sql.pieces.size() == 3);
    CHECK(sql.pieces[0].text == "SELECT id FROM t WHERE a = 1\n  AND ");
    CHECK(sql.pieces[0].kind == Kind::text);
    CHECK(sql.pieces[0].at.line == 4);
    CHECK(sql.pieces[0].at.column == 1);
    CHECK(sql.pieces[1].kind == Kind::batch);
    CHECK(sql.pieces[1].text == ":batch(t.id)");
    CHECK(sql.pieces[1].arguments == std::vector<std::string>{"t.id"});
    CHECK(sql.pieces[1].at.line == 5);
    CHECK(sql.pieces[1].at.column == 7);
    CHECK(sql.pieces[2].text == " ORDER BY id");
    CHECK(sql.pieces[2].at.line == 5);
    CHECK(sql.pieces[2].at.column == 19);
}

TEST_CASE("arguments are split at their own commas and trimmed") {
    std::string text = pre_text(":batch( t.\"a,b\" ,\n f(x, y[1]) )");
    put(text, "-- identifier: id", "-- identifier: id, k");
    const Definition definition = parse(text);
    const SqlPiece* macro = definition.steps.at(0).pre->find(Kind::batch);
    REQUIRE(macro != nullptr);
    CHECK(macro->arguments == std::vector<std::string>{"t.\"a,b\"", "f(x, y[1])"});
}

TEST_CASE("a macro may have a blank before its parenthesis, and stand in parentheses") {
    CHECK(pre("(:batch (id))").find(Kind::batch)->text == ":batch (id)");
    CHECK(pre("id IN (SELECT u.id FROM u WHERE :batch(u.id)) AND :batch(id)").pieces.size() == 4);
    CHECK(pre("id = ANY(ARRAY[(SELECT 1 WHERE :batch(id))])").uses(Kind::batch));
}

TEST_CASE("what looks like a macro in strings, comments and quoted names is text") {
    for (const char* text : {"x = ':batch(id)'", "x /* :batch(id) */", "x -- :batch(id)", "\":batch(id)\"",
                             "x = $$ :affected(id) $$", "x = E'\\' :zzz(id)'", "x = $a$ :x $1 ? $a$"}) {
        INFO(text);
        CHECK(pre(text).pieces.size() == 1);
    }
    CHECK(pre("[:batch(id)] = `:zzz(x)`", Engine::sqlite).pieces.size() == 1);
}

TEST_CASE("casts, slices and operators of PostgreSQL are no macros") {
    for (const char* text : {"x::batch(3)", "a[1:f(x)] = b", "a[:n]", "a[1:batch(x)]", "j ? 'a'", "f(a := 1)",
                             "j @> x", "JSON_OBJECT('a':f(x))", "JSON_OBJECT('a':'b')", "a[:\"n\"]"}) {
        INFO(text);
        CHECK(pre(text).pieces.size() == 1);
    }
}

TEST_CASE("an unknown macro is refused with the one that was meant") {
    check_pre("«:bacth(id)", "unknown macro :bacth", "did you mean :batch?");
    check_pre("«:Batch(id)", "unknown macro :Batch", "did you mean :batch?");
    check_pre("«:zzzzzzz(id)", "unknown macro :zzzzzzz", "The macros are :batch and :affected.");
    check_pre("«:effected(id)", "unknown macro :effected", "did you mean :affected?", Engine::sqlite);
}

TEST_CASE("a macro names its columns") {
    check_pre("«:batch", ":batch names no columns", "Write :batch(id)");
    check_pre("«:batch()", ":batch has an empty argument", "Write :batch(id)");
    check_pre("«:batch(id,)", ":batch has an empty argument", "Write :batch(id)");
    check_pre("«:batch(,id)", ":batch has an empty argument", "Write :batch(id)");
    check_pre(":batch(id «/* the key */)", "a comment within :batch", "before or behind");
    check_pre(":batch(«:affected(id))", ":affected within :batch", "columns of the key");
}

TEST_CASE("nothing is bound but the macros") {
    check_pre("x = «:name", "psql variables are not supported: :name", "Write the value itself");
    check_pre("x = «:'name'", "psql variables are not supported: :'name'", "Write the value itself");
    check_pre("x = «:\"name\"", "psql variables are not supported: :\"name\"", "Write the value itself");
    check_pre("x = «$1", "the parameter $1 is bound to nothing", "Write the value itself");
    for (const char* parameter : {"?", "?1", ":name", "@name", "$name", ":1"}) {
        check_pre(std::string{"x = «"} + parameter,
                  std::string{"the parameter "} + parameter + " is bound to nothing",
                  "Write the value itself", Engine::sqlite);
    }
}

TEST_CASE("each macro has its sections") {
    check_pre("«:affected(id)", ":affected has no place in audit:pre",
              "audit:change, audit:post and audit:watch");
    check_mistake(with(":affected(id)", "«:batch(id)"), ":batch has no place in audit:post",
                  "audit:keys, audit:pre, audit:change and audit:watch");
    check_mistake(with("FROM users;", "FROM users WHERE «:batch(id);"),
                  ":batch has no place in audit:summary", "");
    check_mistake(with("name = ''", "«:affected(id)"), ":affected has no place in audit:verify", "");
    check_mistake(good_definition + "-- audit:undo\nDELETE FROM users WHERE «:batch(id)",
                  ":batch has no place in audit:undo", "");
    CHECK(parse(good_definition + "-- audit:undo\nDELETE FROM users WHERE :affected(id)")
              .steps.at(0)
              .undo.at(0)
              .sql.uses(SqlPiece::Kind::affected));
    check_mistake(keyed("SELECT k FROM s WHERE :batch(k) AND «:affected(id)", "true"),
                  ":affected has no place in audit:keys", "");
    CHECK(parse(with("name IS NULL AND :batch(id)\n", ":affected(id)\n"))
              .steps.at(0)
              .change.at(0)
              .sql.uses(Kind::affected));
}

TEST_CASE("a macro has as many arguments as the identifier has columns") {
    check_pre("«:batch(a, b)", ":batch(a, b) has 2 arguments, but the identifier has 1 column",
              "the identifier in its order: id.");
    std::string two = good_definition;
    put(two, "-- identifier: id", "-- identifier: id, name");
    put(two, ":batch(id)", "«:batch(id)");
    check_mistake(two, ":batch(id) has 1 argument, but the identifier has 2 columns",
                  "in its order: id, name.");
    check_mistake(with(":affected(id)", "«:affected(id, name)"), "has 2 arguments", "");
    check_mistake(
        good_definition + "-- audit:watch u\n-- identifier: a, b\nSELECT a, b FROM u WHERE «:affected(a, b)",
        "has 2 arguments, but the identifier has 1 column", "");
}

TEST_CASE("where keys says what the ranges run over, :batch follows it") {
    CHECK(parse(keyed("SELECT a, b FROM s WHERE :batch(a, b)", ":batch(a, b)")).steps.at(0).keys);
    check_mistake(keyed("SELECT a, b FROM s WHERE :batch(a, b)", "«:batch(a)"),
                  ":batch(a) has 1 argument, but the first one of the step has 2",
                  "the columns of audit:keys");
    check_mistake(keyed("«SELECT a FROM s", "true"), "audit:keys does not say :batch", "the ranges run over");
}
