#include "plan/range_safety.hpp"

#include "plan/range_safety_postgres.hpp"
#include "plan/range_safety_tokens.hpp"

namespace datachange {

std::optional<RangeObstacle> range_obstacle(const SqlTemplate& sql, Engine engine) {
    if (!sql.uses(SqlPiece::Kind::batch)) return std::nullopt;
    return engine == Engine::postgresql ? postgres_range_obstacle(sql)
                                        : range_obstacle_by_tokens(sql, engine);
}

std::optional<std::vector<std::string>> returning_names(const SqlTemplate& sql, Engine engine) {
    return engine == Engine::postgresql ? postgres_returning_names(sql) : std::nullopt;
}

}  // namespace datachange
