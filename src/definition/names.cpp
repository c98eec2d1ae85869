#include "definition/names.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "core/text.hpp"
#include "definition/lexer.hpp"

namespace datachange {

namespace {

constexpr const char* how_names_look = "Names are written as in SQL: users, app.users, \"User\".";

/// Reads `part.part.part` from the front of the tokens and removes it.
SqlName take_name(std::string_view list, std::span<const Token>& tokens, Engine engine, SourcePosition end) {
    if (tokens.empty()) throw Mistake(end, "a name is missing", how_names_look);
    SqlName name;
    name.at = tokens.front().at;
    const std::size_t begin = tokens.front().offset;
    std::size_t qualifier_end = begin;
    for (;;) {
        if (tokens.empty() || !tokens.front().is_name()) {
            throw Mistake(tokens.empty() ? end : tokens.front().at,
                          tokens.empty() ? "a name is missing"
                                         : fmt::format("{} is no name", std::string{tokens.front().text}),
                          how_names_look);
        }
        const Token& part = tokens.front();
        if (part.text.front() != '"' && part.text.find("&\"") == 1) {
            throw Mistake(part.at, "names with Unicode escapes are not supported",
                          "Write the letters themselves.");
        }
        name.parts.push_back(bare_name(part, engine));
        if (name.parts.back().empty()) throw Mistake(part.at, "this name is empty", how_names_look);
        name.written = list.substr(begin, part.end() - begin);
        name.qualifier = list.substr(begin, qualifier_end - begin);
        qualifier_end = part.end();
        tokens = tokens.subspan(1);
        if (tokens.empty() || !tokens.front().is(".")) return name;
        tokens = tokens.subspan(1);
    }
}

}  // namespace

bool same_name(const std::string& a, const std::string& b, Engine engine) {
    return engine == Engine::sqlite ? lower(a) == lower(b) : a == b;
}

std::vector<SqlName> read_names(std::string_view list, SourcePosition at, Engine engine) {
    const std::vector<Token> lexed = lex(list, engine, at);
    const SourcePosition end = position_after(at, list);
    std::span<const Token> tokens{lexed};
    std::vector<SqlName> names;
    for (;;) {
        names.push_back(take_name(list, tokens, engine, end));
        if (tokens.empty()) return names;
        if (!tokens.front().is(",")) {
            throw Mistake(
                tokens.front().at, fmt::format("{} is not expected here", std::string{tokens.front().text}),
                "Names are separated by commas; one that SQL would not take bare stands in quotes.");
        }
        tokens = tokens.subspan(1);
    }
}

bool is_label(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    });
}

std::string read_table_name(std::string_view name, SourcePosition at, Engine engine) {
    const std::vector<SqlName> names = read_names(name, at, engine);
    if (names.size() > 1) throw Mistake(names[1].at, "one table is named here, not several");
    if (names[0].parts.size() > 2) {
        throw Mistake(at, "a table has a name and at most a schema", how_names_look);
    }
    return names[0].written;
}

std::vector<std::string> read_column_names(std::string_view list, SourcePosition at, Engine engine) {
    std::vector<std::string> columns;
    for (const SqlName& name : read_names(list, at, engine)) {
        if (name.parts.size() > 1) {
            throw Mistake(name.at, fmt::format("columns are named here without a table: {}", name.written));
        }
        const std::string& column = name.parts.front();
        if (std::any_of(columns.begin(), columns.end(),
                        [&](const std::string& earlier) { return same_name(earlier, column, engine); })) {
            throw Mistake(name.at, fmt::format("{} is named twice", name.written));
        }
        columns.push_back(column);
    }
    return columns;
}

}  // namespace datachange
