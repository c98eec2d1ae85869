#pragma once

#include <string_view>

#include "core/sql_template.hpp"
#include "definition/statement.hpp"

namespace datachange {

/// Finds :batch(...) and :affected(...) in a statement.
/// @param text what the tokens were lexed from.
/// @throws Mistake for other macros, macros without arguments, psql variables and unbound parameters.
SqlTemplate make_template(const Statement& statement, std::string_view text, Engine engine);

}  // namespace datachange
