#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "datachange/error.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// A name in SQL notation: name, schema.name, app."User".name.
struct SqlName {
    std::string written;
    std::string qualifier;           ///< written, without the last part and its dot; "" if there is one part
    std::vector<std::string> parts;  ///< bare
    SourcePosition at;
};

/// True if the engine takes two bare names for one: SQLite pays no regard to case.
bool same_name(const std::string& a, const std::string& b, Engine engine);

/// Reads names separated by commas.
/// @param at the place of the list's first byte.
/// @throws Mistake for anything that is no such list.
std::vector<SqlName> read_names(std::string_view list, SourcePosition at, Engine engine);

/// True for one word of letters, digits, - and _: how definitions, steps and groups of targets are named.
bool is_label(std::string_view text);

/// Reads the name of one table, with an optional schema, and gives it as written.
std::string read_table_name(std::string_view name, SourcePosition at, Engine engine);

/// Reads bare column names, each once.
std::vector<std::string> read_column_names(std::string_view list, SourcePosition at, Engine engine);

}  // namespace datachange
