#include "run/derived_post.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

namespace {

/// The table's own spelling of a column, quoted; "" if it has no such column. "Name" and "name" may both be
/// there on PostgreSQL, so the exact one goes first.
std::string column_of(const TableInfo& table, const std::string& name) {
    const std::vector<TableColumn>& columns = table.columns;
    auto found = std::find_if(columns.begin(), columns.end(),
                              [&](const TableColumn& column) { return column.name == name; });
    if (found == columns.end()) {
        found = std::find_if(columns.begin(), columns.end(),
                             [&](const TableColumn& column) { return lower(column.name) == lower(name); });
    }
    return found == columns.end() ? "" : quote_name(found->name);
}

}  // namespace

SqlTemplate derive_post(const std::optional<TableInfo>& table, const std::vector<Column>& pre,
                        const std::vector<std::string>& identifier) {
    if (!table) {
        throw Error(ExitCode::usage,
                    "there is no post section, and without `-- table: NAME` it cannot be derived",
                    "Add the table to the header, or write the post section.");
    }
    std::vector<std::string> key;
    for (const std::string& name : identifier) {
        key.push_back(column_of(*table, name));
        if (!key.back().empty()) continue;
        throw Error(ExitCode::usage,
                    fmt::format("there is no post section, and it cannot be derived: {} is no column of {}",
                                name, table->name),
                    "Write the post section.");
    }
    std::vector<std::string> columns;
    for (const Column& column : pre) {
        if (std::string name = column_of(*table, column.name); !name.empty())
            columns.push_back(std::move(name));
    }
    SqlTemplate post;
    post.pieces = {{SqlPiece::Kind::text,
                    fmt::format("SELECT {} FROM {} WHERE ", join(columns, ", "), table->name),
                    {},
                    {}},
                   {SqlPiece::Kind::affected, ":affected", key, {}}};
    return post;
}

}  // namespace datachange
