#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/sql_template.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// Why a range put in place of :batch would change what the statement means, or nothing if it would not: :batch
/// stands in or beneath a query level with a window function, GROUP BY, HAVING or an aggregate, LIMIT, OFFSET or FETCH, or a
/// set operation (UNION, INTERSECT, EXCEPT), DISTINCT ON.
///
/// PostgreSQL: on libpg_query's parse tree. SQLite: on tokens, erring on refusal.
struct RangeObstacle {
    std::string what;  ///< "a window function", "GROUP BY", ...
    SourcePosition at;
};
std::optional<RangeObstacle> range_obstacle(const SqlTemplate& sql, Engine engine);

/// The names of the columns that a statement's own RETURNING gives, as far as the text alone tells: nothing where it has
/// a star or where an expression has no name. PostgreSQL: parse tree; SQLite: always nothing (the database tells).
std::optional<std::vector<std::string>> returning_names(const SqlTemplate& sql, Engine engine);

}  // namespace datachange
