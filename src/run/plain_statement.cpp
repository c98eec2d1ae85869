#include "run/plain_statement.hpp"

#include <algorithm>

#include "definition/lexer.hpp"
#include "definition/names.hpp"
#include "definition/statement.hpp"

namespace datachange {

namespace {

/// Reads a statement's tokens from left to right; comments are left out.
class TokenReader {
public:
    TokenReader(const std::string& text, Engine engine) : m_engine(engine) {
        for (const Token& token : lex(text, engine)) {
            if (!token.is_comment()) m_tokens.push_back(token);
        }
    }

    bool at_end() const { return m_at >= m_tokens.size(); }
    std::size_t place() const { return m_at; }
    void go_to(std::size_t place) { m_at = place; }
    const std::vector<Token>& tokens() const { return m_tokens; }

    bool word(std::string_view keyword) {
        if (at_end() || !m_tokens[m_at].is_word(keyword)) return false;
        ++m_at;
        return true;
    }
    bool symbol(std::string_view text) {
        if (at_end() || !m_tokens[m_at].is(text)) return false;
        ++m_at;
        return true;
    }
    std::optional<std::string> name() {
        if (at_end() || !m_tokens[m_at].is_name()) return std::nullopt;
        return bare_name(m_tokens[m_at++], m_engine);
    }
    /// One more name that is none of these keywords.
    std::optional<std::string> name_but(const std::vector<const char*>& keywords) {
        const bool keyword =
            !at_end() && std::any_of(keywords.begin(), keywords.end(),
                                     [&](const char* word) { return m_tokens[m_at].is_word(word); });
        return keyword ? std::nullopt : name();
    }

private:
    Engine m_engine;
    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
};

/// A table where a statement names it.
struct TableReference {
    std::string written;  ///< SQL notation
    std::string alias;    ///< what qualifies its columns
};

/// `[ONLY] schema.name [*] [[AS] alias]`
std::optional<TableReference> read_table(TokenReader& reader, const std::string& text) {
    reader.word("ONLY");
    const std::size_t first = reader.place();
    TableReference table;
    do {
        const auto part = reader.name();
        if (!part) return std::nullopt;
        table.alias = *part;
    } while (reader.symbol("."));
    const Token& last = reader.tokens()[reader.place() - 1];
    const std::size_t begin = reader.tokens()[first].offset;
    table.written = text.substr(begin, last.end() - begin);
    reader.symbol("*");
    const bool named = reader.word("AS");
    const auto alias = reader.name_but({"SET", "WHERE", "USING", "FROM", "RETURNING", "DEFAULT", "SELECT",
                                        "VALUES", "ORDER", "INDEXED", "NOT"});
    if (named && !alias) return std::nullopt;
    if (alias) table.alias = *alias;
    return table;
}

/// A column as an item of a list: whose it is said to be, and its name.
struct ListedColumn {
    std::string qualifier;
    std::string name;
};

std::optional<ListedColumn> read_column(TokenReader& reader) {
    ListedColumn column;
    const auto first = reader.name();
    if (!first) return std::nullopt;
    column.name = *first;
    if (!reader.symbol(".")) return column;
    const auto second = reader.name();
    if (!second) return std::nullopt;
    return ListedColumn{column.name, *second};
}

std::optional<std::vector<ListedColumn>> read_columns(TokenReader& reader) {
    std::vector<ListedColumn> columns;
    do {
        const auto column = read_column(reader);
        if (!column) return std::nullopt;
        columns.push_back(*column);
    } while (reader.symbol(","));
    return columns;
}

/// The bare names, if none is said to be of another table.
std::optional<std::vector<std::string>> names_of_table(const std::vector<ListedColumn>& columns,
                                                       const std::string& alias, Engine engine) {
    std::vector<std::string> names;
    for (const ListedColumn& column : columns) {
        if (!column.qualifier.empty() && !same_name(column.qualifier, alias, engine)) return std::nullopt;
        names.push_back(column.name);
    }
    return names;
}

/// True if nothing that follows at the query's own level makes rows of anything but the table's.
bool leaves_rows_alone(const TokenReader& reader) {
    int depth = 0;
    for (std::size_t i = reader.place(); i < reader.tokens().size(); ++i) {
        const Token& token = reader.tokens()[i];
        if (token.is("(")) ++depth;
        if (token.is(")")) --depth;
        if (depth < 0) return false;
        const bool combines = token.is_word("UNION") || token.is_word("INTERSECT") ||
                              token.is_word("EXCEPT") || token.is_word("GROUP") || token.is_word("HAVING") ||
                              token.is_word("WINDOW");
        if (depth == 0 && combines) return false;
    }
    return true;
}

struct PlainSelect {
    PlainColumns columns;
    std::string alias;
};

/// Reads up to and with WHERE.
std::optional<PlainSelect> read_select(TokenReader& reader, const std::string& text, Engine engine) {
    if (!reader.word("SELECT")) return std::nullopt;
    const auto listed = read_columns(reader);
    if (!listed || !reader.word("FROM")) return std::nullopt;
    const auto table = read_table(reader, text);
    if (!table || !(reader.word("WHERE") || reader.at_end())) return std::nullopt;
    const auto names = names_of_table(*listed, table->alias, engine);
    if (!names) return std::nullopt;
    return PlainSelect{{table->written, *names}, table->alias};
}

/// Behind the verb of the statement that is at the text's own level: the first token, or behind WITH and its
/// CTEs.
bool find_verb(TokenReader& reader) {
    const std::vector<Token>& tokens = reader.tokens();
    int depth = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].is("(")) ++depth;
        if (tokens[i].is(")")) --depth;
        const bool verb =
            tokens[i].is_word("UPDATE") || tokens[i].is_word("DELETE") || tokens[i].is_word("INSERT");
        if (depth != 0 || !verb || (i > 0 && !tokens[i - 1].is(")"))) continue;
        reader.go_to(i);
        return true;
    }
    return false;
}

std::optional<PlainColumns> read_returning(const std::string& text, Engine engine) {
    TokenReader reader(text, engine);
    const std::vector<Statement> statements = split_statements(reader.tokens(), engine);
    if (statements.size() != 1) return std::nullopt;
    const std::optional<Token> returning = classify(statements.front()).returning;
    if (!returning || !find_verb(reader)) return std::nullopt;
    const bool known = reader.word("UPDATE") || (reader.word("DELETE") && reader.word("FROM")) ||
                       (reader.word("INSERT") && reader.word("INTO"));
    if (!known) return std::nullopt;
    const auto table = read_table(reader, text);
    if (!table) return std::nullopt;
    while (!reader.at_end() && reader.tokens()[reader.place()].offset <= returning->offset)
        reader.go_to(reader.place() + 1);
    if (reader.symbol("*"))
        return reader.at_end() ? std::optional{PlainColumns{table->written, {}}} : std::nullopt;
    const auto listed = read_columns(reader);
    if (!listed || !reader.at_end()) return std::nullopt;
    const auto names = names_of_table(*listed, table->alias, engine);
    if (!names) return std::nullopt;
    return PlainColumns{table->written, *names};
}

}  // namespace

std::optional<PlainColumns> plain_select(const SqlTemplate& sql, Engine engine) {
    const std::string text = sql.text();
    TokenReader reader(text, engine);
    const auto select = read_select(reader, text, engine);
    if (!select || !leaves_rows_alone(reader)) return std::nullopt;
    return select->columns;
}

std::optional<PlainColumns> plain_select_of_affected(const SqlTemplate& sql, Engine engine,
                                                     const std::vector<std::string>& identifier) {
    const std::string text = sql.text();
    TokenReader reader(text, engine);
    const auto select = read_select(reader, text, engine);
    if (!select || reader.at_end() || reader.tokens()[reader.place()].text != ":affected")
        return std::nullopt;
    reader.go_to(reader.place() + 1);
    if (!reader.symbol("(")) return std::nullopt;
    const auto listed = read_columns(reader);
    if (!listed || !reader.symbol(")") || !reader.at_end()) return std::nullopt;
    const auto names = names_of_table(*listed, select->alias, engine);
    const bool of_identifier =
        names &&
        std::equal(names->begin(), names->end(), identifier.begin(), identifier.end(),
                   [engine](const std::string& a, const std::string& b) { return same_name(a, b, engine); });
    if (!of_identifier) return std::nullopt;
    return select->columns;
}

std::optional<PlainColumns> plain_returning(const SqlTemplate& sql, Engine engine) {
    return read_returning(sql.text(), engine);
}

}  // namespace datachange
