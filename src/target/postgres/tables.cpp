#include "target/postgres/tables.hpp"

#include <fmt/format.h>

#include "core/sql_template.hpp"
#include "core/text.hpp"
#include "target/sql_text.hpp"

namespace datachange::postgres {

namespace {

/// The name with every part quoted, so that the server reads just what we read. Nothing if it is no name of a
/// table.
std::optional<std::string> quoted_table_name(const std::string& name) {
    const std::optional<std::vector<std::string>> parts = parse_sql_name(name, Engine::postgresql);
    if (!parts || parts->size() > 2) return std::nullopt;
    return parts->size() == 1 ? quote_name(parts->front())
                              : quote_name(parts->front()) + "." + quote_name(parts->back());
}

Error no_such_table(Connection& connection, const std::string& name) {
    const Result found = connection.execute(
        "SELECT c.relname, n.nspname || '.' || c.relname, pg_catalog.pg_table_is_visible(c.oid) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', "
        "'information_schema') "
        "AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 2");
    std::vector<std::string> names;
    for (std::size_t row = 0; row < found.size(); ++row) {
        if (found.text(row, 2) == "t") names.push_back(found.text(row, 0));
        names.push_back(found.text(row, 1));
    }
    return Error(ExitCode::usage, fmt::format("no such table: {}", name),
                 did_you_mean(name, names, "Names are as in SQL: schema.table, quoted where SQL needs it."));
}

std::vector<TableColumn> read_columns(Connection& connection, const std::string& oid) {
    const Result found = connection.execute(
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> "
        "'' "
        "FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 "
        "AND NOT a.attisdropped ORDER BY a.attnum",
        {oid});
    std::vector<TableColumn> columns;
    for (std::size_t row = 0; row < found.size(); ++row) {
        columns.push_back(
            {found.text(row, 0), found.text(row, 1), found.text(row, 2) == "t", found.text(row, 3) == "t"});
    }
    return columns;
}

/// The primary key first. An index under another collation than its column's has other ideas of what is
/// equal. With children by inheritance no index of the parent holds for all rows that a query of it gives.
std::vector<std::vector<std::string>> read_unique_keys(Connection& connection, const std::string& oid) {
    const Result found = connection.execute(
        "SELECT i.indexrelid, a.attname "
        "FROM pg_catalog.pg_index i "
        "CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS k(place) "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place] "
        "WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indisvalid AND i.indimmediate "
        "AND i.indpred IS NULL AND i.indexprs IS NULL "
        "AND NOT EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) AS other(place) "
        "JOIN pg_catalog.pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = i.indkey[other.place] "
        "WHERE i.indcollation[other.place] <> b.attcollation) "
        "AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = "
        "h.inhparent "
        "WHERE h.inhparent = i.indrelid AND p.relkind = 'r') "
        "ORDER BY i.indisprimary DESC, i.indexrelid, k.place",
        {oid});
    std::vector<std::vector<std::string>> keys;
    for (std::size_t row = 0; row < found.size(); ++row) {
        if (row == 0 || found.text(row, 0) != found.text(row - 1, 0)) keys.emplace_back();
        keys.back().push_back(found.text(row, 1));
    }
    return keys;
}

}  // namespace

std::optional<std::string> find_table(Connection& connection, const std::string& name) {
    const std::optional<std::string> quoted = quoted_table_name(name);
    if (!quoted) return std::nullopt;
    const Result found = connection.execute(
        "SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1) "
        "AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        {*quoted});
    return found.size() == 0 ? std::nullopt : std::optional{found.text(0, 0)};
}

TableInfo read_table(Connection& connection, const std::string& name) {
    const std::optional<std::string> oid = find_table(connection, name);
    if (!oid) throw no_such_table(connection, name);
    const Result found = connection.execute(
        "SELECT n.nspname || '.' || r.relname, c.relkind = 'f' OR EXISTS (SELECT "
        "FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class l ON l.oid = t.relid "
        "WHERE l.relkind = 'f') FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_class r ON r.oid = coalesce(pg_catalog.pg_partition_root(c.oid), c.oid) "
        "JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace WHERE c.oid = $1::pg_catalog.oid",
        {*oid});
    TableInfo table;
    table.name = name;
    table.id = found.text(0, 0);
    table.foreign = found.text(0, 1) == "t";
    table.columns = read_columns(connection, *oid);
    table.unique_keys = read_unique_keys(connection, *oid);
    return table;
}

}  // namespace datachange::postgres
