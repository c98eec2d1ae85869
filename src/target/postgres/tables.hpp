#pragma once

#include <optional>
#include <string>

#include "target/postgres/connection.hpp"
#include "target/target.hpp"

namespace datachange::postgres {

/// The number of what a name in SQL notation stands for: a table, partitioned or foreign, or a view; the
/// search path is followed. Nothing if there is none.
std::optional<std::string> find_table(Connection& connection, const std::string& name);

/// @throws Error (usage) "no such table".
TableInfo read_table(Connection& connection, const std::string& name);

}  // namespace datachange::postgres
