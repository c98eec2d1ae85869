#include "definition/lexer.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace datachange {

namespace {

constexpr std::string_view postgres_operators = "~!@#^&|`?+-*/%<>=";
constexpr std::string_view sqlite_operators = "~!&|+-*/%<>=";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// Bytes above ASCII are parts of names in both engines.
bool starts_word(char c) {
    return is_letter(c) || c == '_' || (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool continues_word(char c) {
    return starts_word(c) || is_digit(c) || c == '$';
}

class Lexer {
public:
    Lexer(std::string_view text, Engine engine, SourcePosition start)
        : m_text(text), m_postgres(engine == Engine::postgresql), m_position(start) {}

    std::vector<Token> run() {
        if (m_text.starts_with(byte_order_mark)) m_offset = byte_order_mark.size();
        for (;;) {
            skip_blanks();
            if (m_offset >= m_text.size()) return std::move(m_tokens);
            const std::size_t end = token_end();
            Token token{m_kind, m_offset, m_text.substr(m_offset, end - m_offset), m_position};
            move_to(end);
            m_tokens.push_back(token);
        }
    }

private:
    char at(std::size_t offset) const { return offset < m_text.size() ? m_text[offset] : '\0'; }
    bool has(std::size_t offset, std::string_view what) const {
        return m_text.substr(offset).starts_with(what);
    }

    void move_to(std::size_t end) {
        m_position = position_after(m_position, m_text.substr(m_offset, end - m_offset));
        m_offset = end;
    }

    void skip_blanks() {
        std::size_t end = m_offset;
        while (end < m_text.size() && is_blank(m_text[end])) ++end;
        move_to(end);
    }

    template <class Predicate>
    std::size_t skip(std::size_t offset, Predicate belongs) const {
        while (offset < m_text.size() && belongs(m_text[offset])) ++offset;
        return offset;
    }

    std::size_t found(TokenKind kind, std::size_t end) {
        m_kind = kind;
        return end;
    }

    /// Sets m_kind and gives the end of the token that begins at m_offset.
    std::size_t token_end() {
        const char c = m_text[m_offset];
        if (has(m_offset, "--")) return found(TokenKind::line_comment, line_end());
        if (has(m_offset, "/*")) return found(TokenKind::block_comment, block_comment_end());
        if (c == '\\' && begins_line(m_text, m_offset)) return found(TokenKind::meta_command, line_end());
        if (const std::size_t end = quoted_end()) return end;
        if (const std::size_t end = parameter_end()) return end;
        if (is_digit(c) || (c == '.' && is_digit(at(m_offset + 1))))
            return found(TokenKind::number, number_end());
        if (starts_word(c)) return found(TokenKind::word, skip(m_offset, continues_word));
        if (has(m_offset, "::") || has(m_offset, ":=")) return found(TokenKind::op, m_offset + 2);
        if (operators().find(c) != std::string_view::npos) return found(TokenKind::op, operator_end());
        return found(TokenKind::punctuation, m_offset + 1);
    }

    std::string_view operators() const { return m_postgres ? postgres_operators : sqlite_operators; }

    /// PostgreSQL ends a line at a carriage return, too.
    std::size_t line_end() const {
        return std::min(m_text.find_first_of(m_postgres ? "\r\n" : "\n", m_offset), m_text.size());
    }

    std::size_t block_comment_end() const {
        std::size_t depth = 1;
        for (std::size_t i = m_offset + 2; i < m_text.size(); ++i) {
            if (has(i, "*/")) {
                ++i;
                if (--depth == 0) return i + 1;
            } else if (m_postgres && has(i, "/*")) {
                ++i;
                ++depth;
            }
        }
        throw Mistake(m_position, "this block comment is never closed",
                      m_postgres ? "Add */; comments nest, so every /* within needs its own." : "Add */.");
    }

    std::size_t operator_end() const {
        std::size_t end = m_offset;
        while (end < m_text.size() && operators().find(m_text[end]) != std::string_view::npos &&
               !has(end, "--") && !has(end, "/*")) {
            ++end;
        }
        return end;
    }

    std::size_t number_end() const {
        if (at(m_offset) == '0' &&
            std::string_view{"xXoObB"}.find(at(m_offset + 1)) != std::string_view::npos &&
            continues_word(at(m_offset + 2))) {
            return skip(m_offset + 2, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
        }
        const auto in_number = [](char c) { return is_digit(c) || c == '_'; };
        std::size_t end = skip(m_offset, in_number);
        if (at(end) == '.' && at(end + 1) != '.') end = skip(end + 1, in_number);
        if (at(end) == 'e' || at(end) == 'E') {
            const std::size_t digits = end + (at(end + 1) == '+' || at(end + 1) == '-' ? 2 : 1);
            if (is_digit(at(digits))) end = skip(digits, in_number);
        }
        return end;
    }

    /// True at the E of E'...', the U of U&"..." and the like.
    bool prefixes_string(std::size_t offset) const {
        const char c = at(offset);
        const char next = at(offset + 1);
        if (!m_postgres) return (c == 'x' || c == 'X') && next == '\'';
        if (c == 'u' || c == 'U') return next == '&' && (at(offset + 2) == '\'' || at(offset + 2) == '"');
        return next == '\'' && std::string_view{"eEbBxXnN"}.find(c) != std::string_view::npos;
    }

    /// 0 if no parameter begins here.
    std::size_t parameter_end() {
        const char c = m_text[m_offset];
        const char next = at(m_offset + 1);
        const bool string_behind = m_postgres && prefixes_string(m_offset + 1);
        const bool named = c == ':' ? (starts_word(next) && !string_behind) || (!m_postgres && is_digit(next))
                                    : !m_postgres && (c == '$' || c == '@') && continues_word(next);
        const bool numbered = m_postgres ? c == '$' && is_digit(next) : c == '?';
        if (!named && !numbered) return 0;
        m_kind = TokenKind::parameter;
        return named ? skip(m_offset + 1, continues_word) : skip(m_offset + 1, is_digit);
    }

    /// 0 if no string or quoted name begins here.
    std::size_t quoted_end() {
        const char c = m_text[m_offset];
        if (c == '\'') return string_end(m_offset, continues_escapes());
        if (c == '"') return name_end(m_offset, '"');
        if (!m_postgres && c == '`') return name_end(m_offset, '`');
        if (!m_postgres && c == '[') return bracket_name_end();
        if (m_postgres && c == '$') return dollar_quote_end();
        if (!prefixes_string(m_offset)) return 0;
        const std::size_t quote = m_text.find_first_of("'\"", m_offset);
        if (m_text[quote] == '"') return name_end(quote, '"');
        return string_end(quote, c == 'e' || c == 'E');
    }

    std::size_t string_end(std::size_t quote, bool escapes) {
        for (std::size_t i = quote + 1; i < m_text.size(); ++i) {
            if (escapes && m_text[i] == '\\') {
                ++i;
            } else if (m_text[i] == '\'') {
                if (at(i + 1) != '\'') {
                    m_string_escapes = escapes;
                    return found(TokenKind::string, i + 1);
                }
                ++i;
            }
        }
        throw Mistake(m_position, "this string is never closed",
                      "Add the closing quote; a quote within a string is written twice.");
    }

    /// PostgreSQL joins strings on lines of their own to the one before, whose backslashes then still escape.
    bool continues_escapes() const {
        if (!m_postgres || !m_string_escapes) return false;
        const auto last = std::find_if(m_tokens.rbegin(), m_tokens.rend(), [](const Token& token) {
            return token.kind != TokenKind::line_comment;
        });
        if (last == m_tokens.rend() || last->kind != TokenKind::string) return false;
        return m_text.substr(last->end(), m_offset - last->end()).find_first_of("\r\n") !=
               std::string_view::npos;
    }

    std::size_t name_end(std::size_t quote, char closing) {
        for (std::size_t i = quote + 1; i < m_text.size(); ++i) {
            if (m_text[i] != closing) continue;
            if (at(i + 1) != closing) return found(TokenKind::quoted_name, i + 1);
            ++i;
        }
        throw Mistake(m_position, "this quoted name is never closed",
                      std::string{"Add the closing "} + closing + ".");
    }

    std::size_t bracket_name_end() {
        const std::size_t end = m_text.find(']', m_offset);
        if (end == std::string_view::npos) {
            throw Mistake(m_position, "this quoted name is never closed", "Add the closing ].");
        }
        return found(TokenKind::quoted_name, end + 1);
    }

    std::size_t dollar_quote_end() {
        std::size_t tag_end = m_offset + 1;
        if (starts_word(at(tag_end))) {
            tag_end = skip(tag_end, [](char c) { return continues_word(c) && c != '$'; });
        }
        if (at(tag_end) != '$') return 0;
        const std::string_view tag = m_text.substr(m_offset, tag_end + 1 - m_offset);
        const std::size_t end = m_text.find(tag, tag_end + 1);
        if (end == std::string_view::npos) {
            throw Mistake(m_position, "this dollar-quoted string is never closed",
                          "It ends with another " + std::string{tag} + ".");
        }
        m_string_escapes = false;
        return found(TokenKind::string, end + tag.size());
    }

    std::string_view m_text;
    bool m_postgres;
    std::size_t m_offset = 0;
    SourcePosition m_position;
    TokenKind m_kind = TokenKind::punctuation;
    bool m_string_escapes = false;  ///< the last string was an E'...'
    std::vector<Token> m_tokens;
};

}  // namespace

bool Token::is(std::string_view symbol) const {
    return (kind == TokenKind::punctuation || kind == TokenKind::op) && text == symbol;
}

bool Token::is_word(std::string_view keyword) const {
    return kind == TokenKind::word && text.size() == keyword.size() && upper(text) == keyword;
}

std::vector<Token> lex(std::string_view text, Engine engine, SourcePosition start) {
    return Lexer(text, engine, start).run();
}

bool begins_line(std::string_view text, std::size_t offset) {
    std::string_view before = text.substr(0, offset);
    while (!before.empty() && (before.back() == ' ' || before.back() == '\t')) before.remove_suffix(1);
    return before.empty() || before == byte_order_mark || before.back() == '\n' || before.back() == '\r';
}

SourcePosition position_after(SourcePosition start, std::string_view text) {
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    if (lines == 0) return {start.line, start.column + text.size()};
    return {start.line + lines, text.size() - text.rfind('\n')};
}

std::string upper(std::string_view text) {
    std::string raised{text};
    for (char& c : raised) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return raised;
}

std::string bare_name(const Token& name, Engine engine) {
    if (name.kind == TokenKind::word)
        return engine == Engine::postgresql ? lower(name.text) : std::string{name.text};
    std::string_view inner = name.text;
    const char closing = inner.back();
    inner = inner.substr(0, inner.size() - 1);
    inner.remove_prefix(inner.find_first_of("\"`[") + 1);
    std::string bare;
    for (std::size_t i = 0; i < inner.size(); ++i) {
        bare += inner[i];
        if (inner[i] == closing && closing != ']') ++i;
    }
    return bare;
}

}  // namespace datachange
