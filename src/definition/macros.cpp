#include "definition/macros.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

namespace {

class TemplateMaker {
public:
    TemplateMaker(const Statement& statement, std::string_view text, Engine engine)
        : m_tokens(statement.tokens), m_text(text), m_postgres(engine == Engine::postgresql) {
        m_template.at = statement.at();
    }

    SqlTemplate make() {
        m_text_begin = m_tokens.front().offset;
        m_text_at = m_tokens.front().at;
        for (std::size_t i = 0; i < m_tokens.size(); ++i) {
            follow_groups(m_tokens[i]);
            if (in_brackets()) continue;  // arr[1:n], where a colon separates the bounds
            if (m_tokens[i].kind == TokenKind::parameter) {
                i = take_parameter(i);
            } else if (m_postgres) {
                refuse_quoted_variable(i);
            }
        }
        add_text(m_tokens.back().end());
        return std::move(m_template);
    }

private:
    void follow_groups(const Token& token) {
        if (token.is("(") || token.is("[")) m_open.push_back(token.text.front());
        if (token.is(")") || token.is("]")) m_open.pop_back();
    }

    bool in_brackets() const { return !m_open.empty() && m_open.back() == '['; }

    /// @return the index of the last token that belongs to it.
    std::size_t take_parameter(std::size_t i) {
        const Token& token = m_tokens[i];
        const bool called = i + 1 < m_tokens.size() && m_tokens[i + 1].is("(");
        const bool is_batch = token.text == ":batch";
        if (is_batch || token.text == ":affected") {
            if (!called) {
                throw Mistake(token.at, fmt::format("{} names no columns", token.text),
                              fmt::format("Write {}(id), with the columns of the key.", token.text));
            }
            return take_macro(i, is_batch ? SqlPiece::Kind::batch : SqlPiece::Kind::affected);
        }
        // JSON_OBJECT('key':value)
        if (m_postgres && i > 0 && m_tokens[i - 1].kind == TokenKind::string && token.text.front() == ':')
            return i;
        if (called && token.text.front() == ':') {
            throw Mistake(
                token.at, fmt::format("unknown macro {}", token.text),
                did_you_mean(token.text, {":batch", ":affected"}, "The macros are :batch and :affected."));
        }
        refuse_parameter(token);
    }

    [[noreturn]] void refuse_parameter(const Token& token) const {
        if (m_postgres && token.text.front() == ':') {
            throw Mistake(token.at, fmt::format("psql variables are not supported: {}", token.text),
                          "Write the value itself; where the colon is meant, put a blank behind it.");
        }
        throw Mistake(token.at, fmt::format("the parameter {} is bound to nothing", token.text),
                      "Write the value itself; the macros are :batch and :affected.");
    }

    /// psql's :'name' and :"name".
    void refuse_quoted_variable(std::size_t i) const {
        if (!m_tokens[i].is(":") || i + 1 == m_tokens.size()) return;
        const Token& next = m_tokens[i + 1];
        const bool adjacent = next.offset == m_tokens[i].end();
        const bool quoted = next.text.front() == '\'' || next.text.front() == '"';
        const bool behind_string = i > 0 && m_tokens[i - 1].kind == TokenKind::string;
        if (!adjacent || !quoted || behind_string) return;
        throw Mistake(m_tokens[i].at, fmt::format("psql variables are not supported: :{}", next.text),
                      "Write the value itself; where the colon is meant, put a blank behind it.");
    }

    std::size_t take_macro(std::size_t i, SqlPiece::Kind kind) {
        const Token& macro = m_tokens[i];
        SqlPiece piece{kind, {}, {}, macro.at};
        std::size_t depth = 1;
        std::size_t last = i + 2;
        std::size_t argument = last;  // index of the first token of the argument in hand
        for (;; ++last) {
            const Token& token = m_tokens[last];
            refuse_in_macro(token, macro);
            if (token.is("(") || token.is("[")) ++depth;
            if (token.is(")") || token.is("]")) --depth;
            if (depth > 1 || (depth == 1 && !token.is(","))) continue;
            if (argument == last) {
                throw Mistake(macro.at, fmt::format("{} has an empty argument", macro.text),
                              fmt::format("Write {}(id), with the columns of the key.", macro.text));
            }
            piece.arguments.emplace_back(slice(m_tokens[argument].offset, m_tokens[last - 1].end()));
            argument = last + 1;
            if (depth == 0) break;
        }
        piece.text = slice(macro.offset, m_tokens[last].end());
        add_text(macro.offset);
        m_template.pieces.push_back(std::move(piece));
        m_text_begin = m_tokens[last].end();
        m_text_at = position_after(m_tokens[last].at, ")");
        return last;
    }

    static void refuse_in_macro(const Token& token, const Token& macro) {
        if (token.is_comment()) {
            throw Mistake(token.at, fmt::format("a comment within {}", macro.text),
                          "Put it before or behind.");
        }
        if (token.kind == TokenKind::parameter) {
            throw Mistake(token.at, fmt::format("{} within {}", token.text, macro.text),
                          "The arguments are columns of the key.");
        }
    }

    std::string_view slice(std::size_t begin, std::size_t end) const {
        return m_text.substr(begin, end - begin);
    }

    void add_text(std::size_t end) {
        if (end > m_text_begin) {
            m_template.pieces.push_back(
                {SqlPiece::Kind::text, std::string{slice(m_text_begin, end)}, {}, m_text_at});
        }
    }

    const std::vector<Token>& m_tokens;
    std::string_view m_text;
    bool m_postgres;
    std::vector<char> m_open;
    std::size_t m_text_begin = 0;
    SourcePosition m_text_at;
    SqlTemplate m_template;
};

}  // namespace

SqlTemplate make_template(const Statement& statement, std::string_view text, Engine engine) {
    return TemplateMaker(statement, text, engine).make();
}

}  // namespace datachange
