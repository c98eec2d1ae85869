#pragma once

#include <optional>
#include <string>
#include <vector>

#include "target/sqlite/connection.hpp"
#include "target/target.hpp"

namespace datachange::sqlite {

/// The name, as the schema has it, of the table or view that a name in SQL notation stands for.
std::optional<std::string> find_table(Connection& connection, const std::string& name);

/// @throws Error (usage) "no such table".
TableInfo read_table(Connection& connection, const std::string& name);

/// Names of the virtual tables.
std::vector<std::string> virtual_tables(Connection& connection);

}  // namespace datachange::sqlite
