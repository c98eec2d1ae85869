#include "report/html_sql.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "definition/lexer.hpp"
#include "report/visible_text.hpp"

namespace datachange {

namespace {

bool is_keyword(const Token& token) {
    static constexpr std::array<std::string_view, 82> keywords{
        "ALL",       "AND",       "ANY",          "AS",        "ASC",      "BEGIN",   "BETWEEN", "BY",
        "CASCADE",   "CASE",      "CAST",         "COLLATE",   "CONFLICT", "CREATE",  "CROSS",   "DEFAULT",
        "DELETE",    "DESC",      "DISTINCT",     "DO",        "ELSE",     "END",     "ESCAPE",  "EXCEPT",
        "EXISTS",    "FALSE",     "FETCH",        "FILTER",    "FIRST",    "FOR",     "FROM",    "FULL",
        "GLOB",      "GROUP",     "HAVING",       "ILIKE",     "IN",       "INNER",   "INSERT",  "INTERSECT",
        "INTERVAL",  "INTO",      "IS",           "ISNULL",    "JOIN",     "LAST",    "LATERAL", "LEFT",
        "LIKE",      "LIMIT",     "MATERIALIZED", "NATURAL",   "NOT",      "NOTHING", "NOTNULL", "NULL",
        "NULLS",     "OFFSET",    "ON",           "ONLY",      "OR",       "ORDER",   "OUTER",   "OVER",
        "PARTITION", "RECURSIVE", "REPLACE",      "RETURNING", "RIGHT",    "SELECT",  "SET",     "SIMILAR",
        "THEN",      "TRUE",      "TRUNCATE",     "UNION",     "UPDATE",   "USING",   "VALUES",  "WHEN",
        "WHERE",     "WITH"};
    return std::binary_search(keywords.begin(), keywords.end(), upper(token.text));
}

/// `-- audit:pre`, `-- ticket: X`
bool is_directive(std::string_view comment) {
    std::string_view text = trim(comment.substr(std::min<std::size_t>(2, comment.size())));
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && colon > 0 &&
           text.substr(0, colon).find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
}

const char* class_of(const Token& token) {
    switch (token.kind) {
        case TokenKind::line_comment:
            return is_directive(token.text) ? "d" : "c";
        case TokenKind::block_comment:
            return "c";
        case TokenKind::string:
            return "s";
        case TokenKind::number:
            return "n";
        case TokenKind::parameter:
            return "p";
        case TokenKind::word:
            return is_keyword(token) ? "k" : nullptr;
        default:
            return nullptr;
    }
}

}  // namespace

std::string html_sql(std::string_view sql, Engine engine) {
    std::string out;
    std::size_t at = 0;
    try {
        for (const Token& token : lex(sql, engine)) {
            const char* const name = class_of(token);
            if (!name) continue;
            out += html_text(sql.substr(at, token.offset - at));
            out.append("<span class=\"")
                .append(name)
                .append("\">")
                .append(html_text(token.text))
                .append("</span>");
            at = token.end();
        }
    } catch (const Mistake&) {
        // what could be read is shown with colours, the rest without
    }
    return out + html_text(sql.substr(at));
}

}  // namespace datachange
