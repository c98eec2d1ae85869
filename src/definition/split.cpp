#include <algorithm>

#include <fmt/format.h>

#include "definition/statement.hpp"

namespace datachange {

namespace {

char opening_of(std::string_view closing) {
    return closing == ")" ? '(' : '[';
}

class Splitter {
public:
    explicit Splitter(Engine engine) : m_engine(engine) {}

    std::vector<Statement> split(const std::vector<Token>& section) {
        for (const Token& token : section) {
            if (token.is_comment()) {
                take_comment(token);
            } else {
                take(token);
            }
        }
        finish();
        return std::move(m_statements);
    }

private:
    /// Prose between statements belongs to none; a block comment may be a hint to the planner.
    void take_comment(const Token& comment) {
        if (!m_statement.tokens.empty() || comment.kind == TokenKind::block_comment)
            m_statement.tokens.push_back(comment);
    }

    void take(const Token& token) {
        follow_groups(token);
        follow_body(token);
        if (token.is(";") && m_open.empty() && !m_body) {
            finish();
            return;
        }
        m_statement.tokens.push_back(token);
        m_statement.code.push_back(token);
    }

    void follow_groups(const Token& token) {
        if (token.is("(") || token.is("[")) {
            m_open.push_back(token);
        } else if (token.is(")") || token.is("]")) {
            if (m_open.empty() || m_open.back().text.front() != opening_of(token.text)) {
                throw Mistake(token.at, fmt::format("this {} closes nothing", token.text),
                              m_open.empty() ? "Remove it, or add what it should close."
                                             : fmt::format("Open is the {} at {}:{}.", m_open.back().text,
                                                           m_open.back().at.line, m_open.back().at.column));
            }
            m_open.pop_back();
        }
    }

    /// CREATE TRIGGER ... BEGIN ...; END and CREATE FUNCTION ... BEGIN ATOMIC ...; END hold statements of
    /// their own. Both end, as in sqlite3_complete(), at an END that begins a statement: that of a CASE never
    /// does.
    void follow_body(const Token& token) {
        const std::vector<Token>& code = m_statement.code;
        if (code.empty() || !code.front().is_word("CREATE")) return;
        if (!m_body && opens_body(token)) {
            m_body = token;
        } else if (m_body && token.is_word("END") && (code.back().is(";") || code.back().is_word("ATOMIC"))) {
            m_body.reset();
        }
    }

    bool opens_body(const Token& token) const {
        const std::vector<Token>& code = m_statement.code;
        if (m_engine == Engine::postgresql) return token.is_word("ATOMIC") && code.back().is_word("BEGIN");
        const std::size_t trigger =
            code.size() > 1 && (code[1].is_word("TEMP") || code[1].is_word("TEMPORARY")) ? 2 : 1;
        return token.is_word("BEGIN") && code.size() > trigger && code[trigger].is_word("TRIGGER");
    }

    void finish() {
        if (!m_open.empty()) {
            throw Mistake(m_open.back().at, fmt::format("this {} is never closed", m_open.back().text));
        }
        if (m_body) {
            throw Mistake(m_body->at, "this body has no END",
                          "It ends with `END` behind the semicolon of its last statement.");
        }
        while (!m_statement.tokens.empty() && m_statement.tokens.back().is_comment())
            m_statement.tokens.pop_back();
        if (!m_statement.code.empty()) m_statements.push_back(std::move(m_statement));
        m_statement = {};
    }

    Engine m_engine;
    std::vector<Token> m_open;    ///< parentheses and brackets
    std::optional<Token> m_body;  ///< where the body of a trigger or function began
    Statement m_statement;
    std::vector<Statement> m_statements;
};

}  // namespace

std::vector<Statement> split_statements(const std::vector<Token>& section, Engine engine) {
    return Splitter(engine).split(section);
}

}  // namespace datachange
