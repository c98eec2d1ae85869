#include "run/unique_key.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

namespace {

/// The last name of "u.id" or `app."User"."note id"`, bare.
std::string last_name(const std::string& expression, Engine engine) {
    const std::string text{trim(expression)};
    if (text.empty()) return {};
    const char end = text.back();
    if (end == '"' || end == '`' || end == ']') {
        const std::size_t start = text.find_last_of(end == ']' ? '[' : end, text.size() - 2);
        return start == std::string::npos ? std::string{} : text.substr(start + 1, text.size() - start - 2);
    }
    const std::string name = text.substr(text.find_last_of('.') + 1);
    return engine == Engine::postgresql ? lower(name) : name;
}

bool is_row_address(const std::string& name) {
    const std::string word = lower(name);
    return word == "ctid" || word == "rowid" || word == "oid" || word == "_rowid_";
}

/// The table with this id, "schema.table".
TableInfo table_by_id(Target& target, const std::string& id) {
    const std::size_t dot = id.find('.');
    return target.table(quote_name(id.substr(0, dot)) + "." + quote_name(id.substr(dot + 1)));
}

bool has_unique_key(const TableInfo& table, const std::vector<std::string>& names, Engine engine) {
    const auto among = [&](const std::string& column) {
        return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            return engine == Engine::postgresql ? name == column : lower(name) == lower(column);
        });
    };
    return std::any_of(
        table.unique_keys.begin(), table.unique_keys.end(),
        [&](const std::vector<std::string>& key) { return std::all_of(key.begin(), key.end(), among); });
}

}  // namespace

std::string missing_unique_key(Target& target, const std::vector<Column>& identifier,
                               const std::vector<std::string>& arguments,
                               const std::optional<TableInfo>& step_table) {
    std::vector<std::string> names;
    std::string origin = identifier.front().origin_table;
    for (std::size_t i = 0; i < identifier.size(); ++i) {
        const Column& column = identifier[i];
        names.push_back(column.origin_column.empty() ? last_name(arguments[i], target.engine())
                                                     : column.origin_column);
        if (column.origin_table != origin) origin.clear();
    }
    if (names.size() == 1 && is_row_address(names.front())) return {};
    const std::string key = join(names, ", ");
    const bool of_step = origin.empty() || (step_table && step_table->id == origin);
    if (of_step && !step_table) return fmt::format("no table is named in which ({}) could be unique", key);
    const TableInfo table = of_step ? *step_table : table_by_id(target, origin);
    return has_unique_key(table, names, target.engine())
               ? ""
               : fmt::format("{} has no unique index on ({})", table.name, key);
}

}  // namespace datachange
