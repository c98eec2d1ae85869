#include "target/sql_text.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace datachange {

namespace {

bool is_word(char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

/// The length of the block comment that the text begins with; they nest on PostgreSQL alone.
std::size_t block_comment_length(std::string_view sql, Engine engine) {
    std::size_t depth = 1;
    for (std::size_t at = 2; at + 1 < sql.size(); ++at) {
        if (sql[at] == '*' && sql[at + 1] == '/') {
            ++at;
            if (--depth == 0) return at + 1;
        } else if (sql[at] == '/' && sql[at + 1] == '*' && engine == Engine::postgresql) {
            ++depth;
            ++at;
        }
    }
    return sql.size();
}

/// What follows white space, comments and the characters of `also`.
std::string_view skip_blank(std::string_view sql, Engine engine, std::string_view also) {
    for (;;) {
        if (sql.starts_with("--")) {
            sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
        } else if (sql.starts_with("/*")) {
            sql.remove_prefix(block_comment_length(sql, engine));
        } else if (!sql.empty() &&
                   (also.find(sql.front()) != std::string_view::npos || trim(sql.substr(0, 1)).empty())) {
            sql.remove_prefix(1);
        } else {
            return sql;
        }
    }
}

}  // namespace

std::string first_keyword(std::string_view sql, Engine engine) {
    sql = skip_blank(sql, engine, "(;");
    std::string word;
    for (const char c : sql) {
        if (!is_word(c)) break;
        word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return word;
}

bool is_blank_sql(std::string_view sql, Engine engine) {
    return skip_blank(sql, engine, ";").empty();
}

namespace {

/// Takes one part off the front of a name.
std::optional<std::string> take_part(std::string_view& rest, Engine engine) {
    const bool sqlite = engine == Engine::sqlite;
    const char open = rest.empty() ? '\0' : rest.front();
    if (open == '"' || (sqlite && (open == '`' || open == '['))) {
        const char close = open == '[' ? ']' : open;
        std::string part;
        for (std::size_t at = 1; at < rest.size(); ++at) {
            if (rest[at] != close) {
                part += rest[at];
            } else if (close != ']' && at + 1 < rest.size() && rest[at + 1] == close) {
                part += rest[at++];
            } else {
                rest.remove_prefix(at + 1);
                return part.empty() ? std::nullopt : std::optional{part};
            }
        }
        return std::nullopt;  // not closed
    }
    std::size_t length = 0;
    while (length < rest.size() && is_word(rest[length])) ++length;
    if (length == 0 || (open >= '0' && open <= '9') || open == '$') return std::nullopt;
    const std::string part{rest.substr(0, length)};
    rest.remove_prefix(length);
    return sqlite ? part : lower(part);
}

}  // namespace

std::optional<std::vector<std::string>> parse_sql_name(std::string_view name, Engine engine) {
    std::vector<std::string> parts;
    std::string_view rest = trim(name);
    for (;;) {
        std::optional<std::string> part = take_part(rest, engine);
        if (!part) return std::nullopt;
        parts.push_back(std::move(*part));
        rest = trim(rest);
        if (rest.empty()) return parts;
        if (rest.front() != '.') return std::nullopt;
        rest = trim(rest.substr(1));
    }
}

}  // namespace datachange
