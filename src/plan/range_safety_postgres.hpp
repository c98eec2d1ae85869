#pragma once

#include "plan/range_safety.hpp"

namespace datachange {

/// range_obstacle() on libpg_query's parse tree; on tokens where the statement does not parse, for it may be
/// written for a newer server.
std::optional<RangeObstacle> postgres_range_obstacle(const SqlTemplate& sql);

/// returning_names() on the same.
std::optional<std::vector<std::string>> postgres_returning_names(const SqlTemplate& sql);

}  // namespace datachange
