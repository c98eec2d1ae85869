#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datachange/run.hpp"

namespace datachange {

/// The keyword that a statement begins with, in upper case: comments, white space, "(" and ";" before it are
/// skipped.
/// "" if there is none.
std::string first_keyword(std::string_view sql, Engine engine);

/// True if nothing but white space, comments and semicolons stands there.
bool is_blank_sql(std::string_view sql, Engine engine);

/// Takes a name in SQL notation apart: users, app."User", [note id]. Unquoted parts become lower case for
/// PostgreSQL; back-ticks and brackets quote for SQLite alone.
/// @return the bare parts in order, or nothing if it is not a name.
std::optional<std::vector<std::string>> parse_sql_name(std::string_view name, Engine engine);

}  // namespace datachange
