#include "definition/lexer.hpp"

#include <utility>

#include "support/catch.hpp"

using namespace datachange;

namespace {

using Texts = std::vector<std::string>;

Texts texts(const std::string& sql, Engine engine) {
    Texts texts;
    for (const Token& token : lex(sql, engine)) texts.emplace_back(token.text);
    return texts;
}

Texts postgres(const std::string& sql) {
    return texts(sql, Engine::postgresql);
}
Texts sqlite(const std::string& sql) {
    return texts(sql, Engine::sqlite);
}

TokenKind kind_of(const std::string& sql, Engine engine) {
    const auto tokens = lex(sql, engine);
    REQUIRE(tokens.size() == 1);
    return tokens.front().kind;
}

void check_unclosed(const std::string& sql, Engine engine, const std::string& message, SourcePosition at) {
    INFO(sql);
    try {
        lex(sql, engine);
        FAIL("not refused");
    } catch (const Mistake& mistake) {
        CHECK(std::string{mistake.what()} == message);
        CHECK(mistake.position().line == at.line);
        CHECK(mistake.position().column == at.column);
        CHECK_FALSE(mistake.hint().empty());
    }
}

}  // namespace

TEST_CASE("tokens carry their offset, line and column") {
    const std::string sql = "SELECT a,\n  'x\ny' b";
    const auto tokens = lex(sql, Engine::postgresql);
    REQUIRE(tokens.size() == 5);
    CHECK(tokens[3].kind == TokenKind::string);
    CHECK(tokens[3].offset == 12);
    CHECK(tokens[3].at.line == 2);
    CHECK(tokens[3].at.column == 3);
    CHECK(tokens[4].at.line == 3);
    CHECK(tokens[4].at.column == 4);
}

TEST_CASE("a text may begin anywhere in a file") {
    const std::string sql = "a\nb";
    const auto tokens = lex(sql, Engine::sqlite, {7, 20});
    CHECK(tokens[0].at.line == 7);
    CHECK(tokens[0].at.column == 20);
    CHECK(tokens[1].at.line == 8);
    CHECK(tokens[1].at.column == 1);
}

TEST_CASE("strings end where the engine ends them") {
    CHECK(postgres("'it''s' x") == Texts{"'it''s'", "x"});
    CHECK(postgres(R"('\' x)") == Texts{R"('\')", "x"});
    CHECK(postgres(R"(E'\'; ' x)") == Texts{R"(E'\'; ')", "x"});
    CHECK(postgres(R"(e'\\' x)") == Texts{R"(e'\\')", "x"});
    CHECK(postgres(R"(U&'\' x)") == Texts{R"(U&'\')", "x"});
    CHECK(postgres("B'01' X'1F' n'x'") == Texts{"B'01'", "X'1F'", "n'x'"});
    CHECK(postgres("like'x'") == Texts{"like", "'x'"});
    CHECK(sqlite("x'00' e'x'") == Texts{"x'00'", "e", "'x'"});
    CHECK(sqlite(R"('\' x)") == Texts{R"('\')", "x"});
}

TEST_CASE("backslashes escape in the lines that continue a PostgreSQL E string, and in no other") {
    CHECK(postgres("E'a'\n'\\'; ' x") == Texts{"E'a'", R"('\'; ')", "x"});
    CHECK(postgres("E'a' -- why\n'\\'; ' x") == Texts{"E'a'", "-- why", R"('\'; ')", "x"});
    CHECK(postgres("E'a', '\\' x") == Texts{"E'a'", ",", R"('\')", "x"});
    CHECK(postgres("'a'\n'\\' x") == Texts{"'a'", R"('\')", "x"});
    CHECK(postgres("E'a' $$b$$\n'\\' x") == Texts{"E'a'", "$$b$$", R"('\')", "x"});
}

TEST_CASE("dollar quotes are strings on PostgreSQL alone") {
    CHECK(postgres("$$a;'b$$ x") == Texts{"$$a;'b$$", "x"});
    CHECK(postgres("$n$a $$ $m$ $n$x") == Texts{"$n$a $$ $m$ $n$", "x"});
    CHECK(postgres("a$b$c") == Texts{"a$b$c"});
    CHECK(postgres("$1$2") == Texts{"$1", "$2"});
    CHECK(sqlite("$a$b") == Texts{"$a$b"});
    CHECK(kind_of("$tag$x$tag$", Engine::postgresql) == TokenKind::string);
}

TEST_CASE("quoted names end where the engine ends them") {
    CHECK(postgres(R"("a""b;" U&"x")") == Texts{R"("a""b;")", R"(U&"x")"});
    CHECK(sqlite("\"a\" `b``;` [c ;']") == Texts{"\"a\"", "`b``;`", "[c ;']"});
    CHECK(postgres("a[1]") == Texts{"a", "[", "1", "]"});
    CHECK(kind_of("[x]", Engine::sqlite) == TokenKind::quoted_name);
}

TEST_CASE("block comments nest on PostgreSQL alone") {
    CHECK(postgres("/* a /* b */ c */ x") == Texts{"/* a /* b */ c */", "x"});
    CHECK(sqlite("/* a /* b */ c") == Texts{"/* a /* b */", "c"});
    CHECK(postgres("a*-- x\nb") == Texts{"a", "*", "-- x", "b"});
    CHECK(postgres("a+/* x */b") == Texts{"a", "+", "/* x */", "b"});
    CHECK(postgres("/*/ */ x") == Texts{"/*/ */", "x"});
}

TEST_CASE("line comments end with the line, without a carriage return on PostgreSQL") {
    CHECK(postgres("a -- b\r\nc") == Texts{"a", "-- b", "c"});
    CHECK(sqlite("a -- b\nc") == Texts{"a", "-- b", "c"});
}

TEST_CASE("parameters, casts and slices are told apart") {
    CHECK(postgres("a::int :b $1 x:=y") == Texts{"a", "::", "int", ":b", "$1", "x", ":=", "y"});
    CHECK(postgres("a[1:2]") == Texts{"a", "[", "1", ":", "2", "]"});
    CHECK(postgres("j ? 'a' @> b ?| c") == Texts{"j", "?", "'a'", "@>", "b", "?|", "c"});
    CHECK(sqlite("? ?12 :a @b $c :1") == Texts{"?", "?12", ":a", "@b", "$c", ":1"});
    CHECK(sqlite("x=?1 y->>'$.a'") == Texts{"x", "=", "?1", "y", "->>", "'$.a'"});
    for (const char* parameter : {"?", "?1", ":a", "@a", "$a"}) {
        CHECK(kind_of(parameter, Engine::sqlite) == TokenKind::parameter);
    }
}

TEST_CASE("a colon before a prefixed string of PostgreSQL stands alone") {
    CHECK(postgres("a:E'\\''") == Texts{"a", ":", "E'\\''"});
    CHECK(postgres("a:U&\"x\"") == Texts{"a", ":", "U&\"x\""});
    CHECK(postgres("a:e b") == Texts{"a", ":e", "b"});
    CHECK(sqlite(":x'00'") == Texts{":x", "'00'"});
}

TEST_CASE("numbers are one token each") {
    for (const char* number : {"1", "1.5", ".5", "1e10", "1.5E-3", "0x1F", "1_000", "5."}) {
        CHECK(kind_of(number, Engine::postgresql) == TokenKind::number);
        CHECK(kind_of(number, Engine::sqlite) == TokenKind::number);
    }
    CHECK(postgres("1..5") == Texts{"1", ".", ".5"});
    CHECK(postgres("1e x") == Texts{"1", "e", "x"});
}

TEST_CASE("letters beyond ASCII are parts of names") {
    CHECK(postgres("größe, Ω") == Texts{"größe", ",", "Ω"});
    CHECK(bare_name(lex("Größe", Engine::postgresql)[0], Engine::postgresql) == "größe");
}

TEST_CASE("a byte order mark is no token") {
    CHECK(postgres("\xEF\xBB\xBFSELECT") == Texts{"SELECT"});
}

TEST_CASE("a line that begins with a backslash is a command to psql") {
    CHECK(postgres("SELECT 1\n  \\echo it's\nx") == Texts{"SELECT", "1", "\\echo it's", "x"});
    CHECK(kind_of("\\d", Engine::postgresql) == TokenKind::meta_command);
}

TEST_CASE("names lose their quotes, and their case where the engine folds it") {
    const auto bare = [](const std::string& name, Engine engine) {
        return bare_name(lex(name, engine)[0], engine);
    };
    CHECK(bare("UserName", Engine::postgresql) == "username");
    CHECK(bare("UserName", Engine::sqlite) == "UserName");
    CHECK(bare("\"a\"\"B\"", Engine::postgresql) == "a\"B");
    CHECK(bare("`a``B`", Engine::sqlite) == "a`B");
    CHECK(bare("[a\"b]", Engine::sqlite) == "a\"b");
    CHECK(bare("\"[x\"", Engine::sqlite) == "[x");
}

TEST_CASE("what is never closed is named at its beginning") {
    check_unclosed("a\n 'x", Engine::postgresql, "this string is never closed", {2, 2});
    check_unclosed("E'x\\'", Engine::postgresql, "this string is never closed", {1, 1});
    check_unclosed("a \"x", Engine::postgresql, "this quoted name is never closed", {1, 3});
    check_unclosed("`x", Engine::sqlite, "this quoted name is never closed", {1, 1});
    check_unclosed("\n[x", Engine::sqlite, "this quoted name is never closed", {2, 1});
    check_unclosed("/* /* */", Engine::postgresql, "this block comment is never closed", {1, 1});
    check_unclosed("a /* x", Engine::sqlite, "this block comment is never closed", {1, 3});
    check_unclosed("a $f$ x $g$", Engine::postgresql, "this dollar-quoted string is never closed", {1, 3});
}
