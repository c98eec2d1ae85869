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
    /// Some are arrays that the planner is to see: what it plans for any array is not good enough.
    bool planned_for_arrays = false;
};

/// Writes the macros out as conditions on typed parameters. Arrays and bounds are bound once, however often a
/// macro stands there.
/// @param look_up writes :affected so that the planner does not see the keys and looks each up by index. Else
/// it estimates every one of them, 3 ms for 10,000, and may read a whole table for them; but only then it can
/// leave partitions out.
BoundStatement bind(const SqlTemplate& sql, const Scope& scope, bool look_up = true);

/// The parameter for a value. @throws DatabaseError (22021) for text with a NUL byte, which PostgreSQL has
/// none of.
std::optional<std::string> parameter_text(const Value& value, const std::string& sql);

}  // namespace datachange::postgres
