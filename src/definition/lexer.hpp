#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "datachange/error.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// An Error (usage) at a place in a text; whoever knows the file adds it with at().
class Mistake : public Error {
public:
    Mistake(SourcePosition position, const std::string& message, std::string hint = {})
        : Error(ExitCode::usage, message, std::move(hint)), m_position(position) {}

    SourcePosition position() const { return m_position; }

private:
    SourcePosition m_position;
};

enum class TokenKind {
    word,         ///< keyword or unquoted name
    quoted_name,  ///< "x", U&"x"; SQLite also `x` and [x]
    string,       ///< every kind of string and blob literal, dollar quotes included
    number,
    parameter,     ///< $1, :name; SQLite also ?, ?1, @name, $name
    op,            ///< operators, `::` and `:=` included
    punctuation,   ///< ( ) [ ] , ; . a lone colon, and any byte that belongs to nothing else
    line_comment,  ///< without its end of line
    block_comment,
    meta_command,  ///< a line that begins with a backslash, as psql reads it
};

/// A run of bytes of the lexed text, which must outlive it. Blanks are no tokens.
struct Token {
    TokenKind kind = TokenKind::punctuation;
    std::size_t offset = 0;  ///< bytes from the beginning of the lexed text
    std::string_view text;
    SourcePosition at;

    std::size_t end() const { return offset + text.size(); }
    bool is_comment() const { return kind == TokenKind::line_comment || kind == TokenKind::block_comment; }
    bool is_name() const { return kind == TokenKind::word || kind == TokenKind::quoted_name; }
    /// True for this punctuation or operator.
    bool is(std::string_view symbol) const;
    /// True for this keyword, given in upper case; a quoted name is none.
    bool is_word(std::string_view keyword) const;
};

/// Takes SQL apart as the engine itself would (PostgreSQL: with standard_conforming_strings on).
/// Concatenating the tokens with the blanks between them gives the text again.
/// @param start the place of the text's first byte.
/// @throws Mistake at the beginning of a string, quoted name or block comment that is never closed.
std::vector<Token> lex(std::string_view text, Engine engine, SourcePosition start = {1, 1});

/// True if nothing but blanks stands before the offset in its line.
bool begins_line(std::string_view text, std::size_t offset);

/// The place behind `text`, which begins at `start`.
SourcePosition position_after(SourcePosition start, std::string_view text);

/// ASCII letters in upper case: how keywords are compared and shown.
std::string upper(std::string_view text);

/// A name token without its quotes; an unquoted one in lower case for PostgreSQL.
std::string bare_name(const Token& name, Engine engine);

}  // namespace datachange
