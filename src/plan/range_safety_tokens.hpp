#pragma once

#include "plan/range_safety.hpp"

namespace datachange {

/// range_obstacle() on tokens and their parentheses: where they leave room for doubt, it is an obstacle.
/// Nothing for text that is no tokens either, which the server will report.
std::optional<RangeObstacle> range_obstacle_by_tokens(const SqlTemplate& sql, Engine engine);

/// True for an aggregate that the engine brings along, by its bare name; those with WITHIN GROUP are left
/// out. Aggregates that users made are not known.
bool is_aggregate_function(const std::string& name, Engine engine);

}  // namespace datachange
