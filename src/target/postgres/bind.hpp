#pragma once

#include <optional>
#include <string>

#include "target/postgres/connection.hpp"
#include "target/target.hpp"

namespace datachange::postgres {

/// A statement as it is sent: parameters are text, or nothing for NULL.
struct BoundStatement {
    std::string sql;
    Parameters parameters;
    bool arrays = false;  ///< some of them are arrays of keys, of any length
};

/// Writes the macros out as conditions on typed parameters. Arrays and bounds are bound once, however often a
/// macro stands there.
BoundStatement bind(const SqlTemplate& sql, const Scope& scope);

/// The parameter for a value. @throws DatabaseError (22021) for text with a NUL byte, which PostgreSQL has
/// none of.
std::optional<std::string> parameter_text(const Value& value, const std::string& sql);

}  // namespace datachange::postgres
