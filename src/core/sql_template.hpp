#pragma once

#include <string>
#include <vector>

#include "datachange/error.hpp"

namespace datachange {

/// A run of a statement: SQL as written, or one of the macros with its arguments as written.
struct SqlPiece {
    enum class Kind { text, batch, affected };
    Kind kind = Kind::text;
    std::string text;                    ///< text: the SQL; macros: as written, ":batch(u.id)"
    std::vector<std::string> arguments;  ///< macros: trimmed, "u.tenant_id", "u.id"
    SourcePosition at;
};

/// One SQL statement without its final semicolon, with the places of :batch and :affected found. Which values
/// stand there is decided when it is executed; the target renders them as bind parameters.
struct SqlTemplate {
    std::vector<SqlPiece> pieces;
    SourcePosition at;
    std::vector<std::string> redact = {};  ///< columns of the result whose values are not to be told

    bool uses(SqlPiece::Kind kind) const;
    /// The first macro of a kind; nullptr if there is none.
    const SqlPiece* find(SqlPiece::Kind kind) const;
    /// As written, macros included.
    std::string text() const;
    bool empty() const { return pieces.empty(); }
};

/// prefix + inner + suffix, the inner statement on lines of its own so that a comment at its end ends there.
SqlTemplate wrap(const std::string& prefix, const SqlTemplate& inner, const std::string& suffix);

/// A statement of the tool's own, without macros.
SqlTemplate plain_sql(std::string text);

/// A name quoted for SQL: "name", with quotes doubled.
std::string quote_name(const std::string& name);

/// Names quoted and joined by ", ".
std::string quote_names(const std::vector<std::string>& names);

}  // namespace datachange
