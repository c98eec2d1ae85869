#pragma once

#include <optional>
#include <string>
#include <vector>

#include "definition/lexer.hpp"

namespace datachange {

/// One statement of a section.
struct Statement {
    std::vector<Token> tokens;  ///< from its first token to its last; a block comment before it belongs to it
    std::vector<Token> code;    ///< the same without comments, never empty

    SourcePosition at() const { return code.front().at; }
};

/// Splits a section at its semicolons; those within parentheses and within the body of a trigger or a
/// function do not separate. Empty statements are left out.
/// @throws Mistake for parentheses and brackets that do not match, and bodies without END.
std::vector<Statement> split_statements(const std::vector<Token>& section, Engine engine);

/// What a statement is, as far as its text tells.
struct StatementKind {
    std::string verb;                   ///< upper case; for WITH, that of the main statement
    bool changes_data = false;          ///< by itself or in a CTE
    bool plain_insert = false;          ///< INSERT that leaves rows that are there alone
    std::optional<Token> returning;     ///< RETURNING at the statement's own level
    std::optional<Token> changing_cte;  ///< the verb of a CTE that changes data
    std::optional<Token> into;          ///< of SELECT ... INTO, which makes a table
};

StatementKind classify(const Statement& statement);

/// @throws Mistake for a statement that has no place in a definition: transaction control, session settings,
/// COPY, ...
void refuse_unfit(const Statement& statement);

}  // namespace datachange
