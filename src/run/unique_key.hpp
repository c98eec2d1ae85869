#pragma once

#include <optional>
#include <string>
#include <vector>

#include "target/target.hpp"

namespace datachange {

/// Why ranges over a set may skip or repeat rows: its key is not known to be unique. "" where it is: a unique
/// index covers it, or it is a row's address (ctid, rowid).
/// @param identifier the set's key columns as described.
/// @param arguments what :batch names for each of them; decides where the database does not tell a column's
/// origin.
/// @param step_table the table of the definition's header, for the same case.
std::string missing_unique_key(Target& target, const std::vector<Column>& identifier,
                               const std::vector<std::string>& arguments,
                               const std::optional<TableInfo>& step_table);

}  // namespace datachange
