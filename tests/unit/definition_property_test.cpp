#include <rapidcheck.h>

#include "core/text.hpp"
#include "definition/macros.hpp"
#include "definition/statement.hpp"
#include "definition_text.hpp"
#include "plan/range_safety.hpp"

using namespace datachange;

namespace {

const std::vector<std::string> fragments{"SELECT",
                                         "UPDATE t SET a = 1",
                                         "DELETE FROM t",
                                         "INSERT INTO t",
                                         "WITH a AS (",
                                         "RETURNING id",
                                         "CREATE TRIGGER x",
                                         "CREATE FUNCTION f()",
                                         "BEGIN",
                                         "ATOMIC",
                                         "END",
                                         "CASE",
                                         ";",
                                         ",",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         ".",
                                         "id",
                                         "t.id",
                                         "'it''s'",
                                         "E'\\''",
                                         "'",
                                         "\"a;b\"",
                                         "\"",
                                         "`x`",
                                         "$$ ; $$",
                                         "$a$",
                                         "$1",
                                         "?",
                                         ":batch(id)",
                                         ":affected(id)",
                                         ":batch",
                                         ":name",
                                         ":'x'",
                                         "::int",
                                         ":=",
                                         "/* ; */",
                                         "/*",
                                         "*/",
                                         "-- a; 'comment\n",
                                         "\n",
                                         "\\d\n",
                                         "1.5",
                                         "ø",
                                         "UNION",
                                         "GROUP BY",
                                         "LIMIT 1",
                                         "count(*)",
                                         "OVER (",
                                         "\n-- audit:pre\n",
                                         "\n-- audit:change\n",
                                         "\n-- audit:step x\n",
                                         "\n-- identifier: id\n",
                                         "\n-- table: t\n",
                                         "\n-- Ticket: x\n"};

rc::Gen<std::string> any_sql() {
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(fragments)),
                        [](const std::vector<std::string>& parts) { return join(parts, " "); });
}

rc::Gen<Engine> any_engine() {
    return rc::gen::element(Engine::postgresql, Engine::sqlite);
}

/// Statements that both engines can split, without semicolons of their own between them.
const std::vector<std::string> statements{"SELECT 1",
                                          "SELECT ';' /* ; */ FROM t",
                                          "UPDATE t SET a = f(b, (c)) WHERE :batch(id) RETURNING id",
                                          "DELETE FROM t -- ; all\nWHERE \";\" = 1",
                                          "/*+ hint; */ SELECT :affected(a, b), x",
                                          "INSERT INTO t VALUES ('it''s', 1.5)"};

}  // namespace

TEST_CASE("tokens and the blanks between them are the text") {
    CHECK(rc::check("lexing loses nothing", [] {
        const std::string sql = *any_sql();
        const Engine engine = *any_engine();
        std::vector<Token> tokens;
        try {
            tokens = lex(sql, engine);
        } catch (const Mistake&) {
            return;
        }
        std::size_t end = 0;
        for (const Token& token : tokens) {
            RC_ASSERT(token.offset >= end);
            RC_ASSERT(trim(sql.substr(end, token.offset - end)).empty());
            RC_ASSERT(token.text == sql.substr(token.offset, token.text.size()));
            const SourcePosition at = position_after({1, 1}, sql.substr(0, token.offset));
            RC_ASSERT(at.line == token.at.line && at.column == token.at.column);
            end = token.end();
        }
        RC_ASSERT(trim(sql.substr(end)).empty());
    }));
}

TEST_CASE("joining statements and splitting them again gives the same statements") {
    CHECK(rc::check("split undoes join", [] {
        const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(statements));
        const Engine engine = *any_engine();
        const std::string sql = join(parts, ";\n");
        std::vector<std::string> texts;
        for (const Statement& statement : split_statements(lex(sql, engine), engine)) {
            texts.push_back(make_template(statement, sql, engine).text());
        }
        RC_ASSERT(texts == parts);
    }));
}

TEST_CASE("the pieces of a statement are its text, each at its place") {
    CHECK(rc::check("pieces reproduce the section", [] {
        const std::string condition = *rc::gen::elementOf(
            std::vector<std::string>{"true", ":batch(id)", "a = ':batch(id)' AND :batch( id )",
                                     "x /* :z */ AND\n:batch(id) AND\n:batch(t.id) -- c\nAND y"});
        const std::string sql = "SELECT id\nFROM t\nWHERE " + condition;
        const std::string text = "-- table: t\n-- identifier: id\n-- audit:pre\n" + sql +
                                 ";\n-- audit:change\nDELETE FROM t RETURNING id";
        const SqlTemplate pre = *parse(text, *any_engine()).steps.at(0).pre;
        RC_ASSERT(pre.text() == sql);
        SourcePosition at{4, 1};
        for (const SqlPiece& piece : pre.pieces) {
            RC_ASSERT(piece.at.line == at.line && piece.at.column == at.column);
            at = position_after(at, piece.text);
        }
    }));
}

TEST_CASE("every text is read, or refused with a place and as the user's mistake") {
    CHECK(rc::check("parsing never fails otherwise", [] {
        const std::string head = *rc::gen::elementOf(std::vector<std::string>{
            "", "-- table: t\n-- identifier: id\n",
            "-- table: t\n-- identifier: id\n-- audit:pre\nSELECT id FROM t\n-- audit:change\n"});
        const Engine engine = *any_engine();
        try {
            const Definition definition = parse(head + *any_sql(), engine);
            RC_ASSERT(!definition.steps.empty());
            for (const Step& step : definition.steps) {
                RC_ASSERT(step.number > 0);
                for (const ChangeStatement& statement : step.change) range_obstacle(statement.sql, engine);
            }
        } catch (const Error& error) {
            RC_ASSERT(error.code() == ExitCode::usage);
            RC_ASSERT(error.where().starts_with("audits/20260131120000_names.sql:"));
        }
    }));
}
