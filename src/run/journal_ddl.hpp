#pragma once

#include <string>
#include <vector>

#include "datachange/run.hpp"

namespace datachange {

/// The statements that make the journal's tables where they are not there, without semicolons.
/// @param prefix of the tables' names in SQL: "" or "schema."
std::vector<std::string> journal_ddl(Engine engine, const std::string& prefix);

}  // namespace datachange
