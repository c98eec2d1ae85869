#include "target/sqlite/tables.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/text.hpp"
#include "target/sql_text.hpp"

namespace datachange::sqlite {

namespace {

std::vector<std::string> first_column(const RowSet& rows) {
    std::vector<std::string> texts;
    for (std::size_t row = 0; row < rows.size(); ++row) texts.push_back(rows.text(row, 0));
    return texts;
}

Error no_such_table(Connection& connection, const std::string& name) {
    const std::vector<std::string> names =
        first_column(connection.query("SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view') "
                                      "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"));
    return Error(ExitCode::usage, fmt::format("no such table: {}", name),
                 did_you_mean(name, names, "Names are as in SQL, quoted where SQL needs it."));
}

/// The collation of a column, upper case; "" if SQLite does not tell (a virtual table).
std::string collation(Connection& connection, const std::string& table, const std::string& column) {
    const char* name = nullptr;
    const int result =
        sqlite3_table_column_metadata(connection.handle(), "main", table.c_str(), column.c_str(), nullptr,
                                      &name, nullptr, nullptr, nullptr);
    return result == SQLITE_OK && name ? lower(name) : "";
}

/// The columns of a unique index, or nothing if it says nothing about them: expressions, or another collation
/// than the column's, which has other ideas of what is equal.
std::vector<std::string> index_columns(Connection& connection, const std::string& table,
                                       const std::string& index) {
    const RowSet rows =
        connection.query("SELECT name, coll FROM pragma_index_xinfo($1, 'main') WHERE key = 1 ORDER BY seqno",
                         {Value::text(index)});
    std::vector<std::string> columns;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::string column = rows.text(row, 0);
        const bool plain =
            !rows.at(row, 0).is_null() && lower(rows.text(row, 1)) == collation(connection, table, column);
        if (!plain) return {};
        columns.push_back(column);
    }
    return columns;
}

std::vector<std::vector<std::string>> read_unique_keys(Connection& connection, const std::string& table,
                                                       const std::string& rowid_alias) {
    std::vector<std::vector<std::string>> keys;
    if (!rowid_alias.empty()) keys.push_back({rowid_alias});
    const RowSet indexes = connection.query(
        "SELECT name FROM pragma_index_list($1, 'main') WHERE \"unique\" = 1 AND partial = 0 "
        "ORDER BY origin = 'pk' DESC, seq DESC",
        {Value::text(table)});
    for (const std::string& index : first_column(indexes)) {
        std::vector<std::string> columns = index_columns(connection, table, index);
        if (!columns.empty()) keys.push_back(std::move(columns));
    }
    return keys;
}

/// The INTEGER PRIMARY KEY, which stands for the rowid and has no index; "" if there is none.
std::string find_rowid_alias(Connection& connection, const std::string& table) {
    const RowSet rows = connection.query(
        "SELECT name FROM pragma_table_xinfo($1, 'main') WHERE pk > 0 AND NOT EXISTS "
        "(SELECT * FROM pragma_index_list($1, 'main') WHERE origin = 'pk')",
        {Value::text(table)});
    return rows.size() == 1 ? rows.text(0, 0) : "";
}

}  // namespace

std::optional<std::string> find_table(Connection& connection, const std::string& name) {
    const std::optional<std::vector<std::string>> parts = parse_sql_name(name, Engine::sqlite);
    if (!parts || parts->size() > 2) return std::nullopt;
    if (parts->size() == 2 && lower(parts->front()) != "main") return std::nullopt;
    const RowSet rows = connection.query(
        "SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name = $1 COLLATE NOCASE",
        {Value::text(parts->back())});
    return rows.empty() ? std::nullopt : std::optional{rows.text(0, 0)};
}

TableInfo read_table(Connection& connection, const std::string& name) {
    const std::optional<std::string> found = find_table(connection, name);
    if (!found) throw no_such_table(connection, name);
    const std::string rowid_alias = find_rowid_alias(connection, *found);
    TableInfo table;
    table.name = name;
    table.id = "main." + *found;
    const RowSet columns = connection.query(
        "SELECT name, type, \"notnull\", hidden FROM pragma_table_xinfo($1, 'main') WHERE hidden <> 1 ORDER "
        "BY cid",
        {Value::text(*found)});
    for (std::size_t row = 0; row < columns.size(); ++row) {
        const std::string column = columns.text(row, 0);
        const bool not_null = columns.text(row, 2) == "1" || column == rowid_alias;
        table.columns.push_back({column, columns.text(row, 1), not_null, columns.text(row, 3) != "0"});
    }
    table.unique_keys = read_unique_keys(connection, *found, rowid_alias);
    for (const std::string& virtual_table : virtual_tables(connection)) {
        table.foreign = table.foreign || virtual_table == *found;
    }
    return table;
}

std::vector<std::string> virtual_tables(Connection& connection) {
    return first_column(connection.query(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'"));
}

}  // namespace datachange::sqlite
