#include "capture/undo_statements.hpp"

#include <map>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "capture/capturing.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

/// The rows' values as arrays of text, which the statement casts to the columns' types: the way in which the
/// server reads what it has written, composite types, arrays of any bounds and domains among them.
class TextArrays {
public:
    explicit TextArrays(std::size_t width) : m_literals(width, "{") {}

    void add(std::size_t column, ValueView value) {
        std::string& literal = m_literals[column];
        if (literal.size() > 1) literal += ',';
        if (value.is_null()) {
            literal += "NULL";
            return;
        }
        literal += '"';
        for (const char letter : value.bytes) {
            if (letter == '"' || letter == '\\') literal += '\\';
            literal += letter;
        }
        literal += '"';
    }
    std::vector<Value> parameters() {
        std::vector<Value> values;
        for (std::string& literal : m_literals) values.push_back(Value::text(std::move(literal) + "}"));
        return values;
    }

private:
    std::vector<std::string> m_literals;
};

/// ROWS FROM (unnest($1), ...) AS datachange_rows(v1, ...)
std::string rows_from(std::size_t width) {
    std::vector<std::string> arrays, names;
    for (std::size_t i = 1; i <= width; ++i) {
        arrays.push_back(fmt::format("pg_catalog.unnest(${}::pg_catalog.text[])", i));
        names.push_back(fmt::format("v{}", i));
    }
    return fmt::format("ROWS FROM ({}) AS datachange_rows({})", join(arrays, ", "), join(names, ", "));
}

std::string cast_value(std::size_t number, const std::string& type) {
    return fmt::format("datachange_rows.v{}::{}", number, type);
}

void append(RowSet& to, const RowSet& from) {
    for (std::size_t row = 0; row < from.size(); ++row) to.add_row(from, row);
}

/// Rows that take over the key of another one come behind it: in rings, where nobody can be the first,
/// together in the last round.
std::map<std::size_t, std::vector<const UndoRow*>> rounds_of(const std::vector<UndoRow>& rows) {
    std::unordered_map<std::string, std::size_t> holders;  // of keys that will be free
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].image.live_key() != rows[i].image.wanted_key())
            holders.emplace(key_fingerprint(rows[i].image.live_key()), i);
    }
    std::vector<std::size_t> round(rows.size(), 0);
    std::vector<char> known(rows.size(), 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::vector<std::size_t> waiting;
        std::set<std::size_t> seen;
        std::size_t at = i, first = 0;
        for (;;) {
            if (known[at]) {
                first = round[at] + 1;
                break;
            }
            if (!seen.insert(at).second) {
                first = rows.size();
                break;
            }
            waiting.push_back(at);
            const auto holder = holders.find(key_fingerprint(rows[at].image.wanted_key()));
            if (holder == holders.end() || holder->second == at) break;
            at = holder->second;
        }
        const bool ring = first == rows.size();
        for (auto row = waiting.rbegin(); row != waiting.rend(); ++row) {
            known[*row] = 1;
            round[*row] = ring ? first : first++;
        }
    }
    std::map<std::size_t, std::vector<const UndoRow*>> rounds;
    for (std::size_t i = 0; i < rows.size(); ++i) rounds[round[i]].push_back(&rows[i]);
    return rounds;
}

}  // namespace

std::vector<ChangeSpec> undo_statements() {
    return {{{}, {"DELETE", false}, true}, {{}, {"UPDATE", false}, true}, {{}, {"INSERT", true}, true}};
}

UndoStatements::UndoStatements(Target& target, const std::string& table, const UndoSpec& spec)
    : m_target(target), m_table(table), m_spec(spec) {
}

std::string UndoStatements::list(const std::string& prefix) const {
    std::vector<std::string> names;
    for (const UndoColumn& column : m_spec.columns) names.push_back(prefix + quote_name(column.name));
    return join(names, ", ");
}

std::string UndoStatements::column_names_of(const std::vector<std::size_t>& columns) const {
    std::vector<std::string> names;
    for (const std::size_t column : columns) names.push_back(quote_name(m_spec.columns[column].name));
    return join(names, ", ");
}

std::vector<Column> UndoStatements::columns(bool with_old_key) const {
    std::vector<Column> columns;
    for (const UndoColumn& column : m_spec.columns) columns.push_back({column.name, column.type, "", ""});
    for (std::size_t i = 0; with_old_key && i < m_spec.key_width; ++i)
        columns.push_back({"was_" + m_spec.columns[i].name, m_spec.columns[i].type, "", ""});
    return columns;
}

RowSet UndoStatements::remove(const std::vector<UndoRow>& rows) {
    RowSet returned(columns(false));
    if (rows.empty()) return returned;
    std::vector<Key> keys;
    std::vector<std::string> arguments, types;
    for (const UndoRow& row : rows) keys.push_back(row.image.live_key());
    for (std::size_t i = 0; i < m_spec.key_width; ++i) {
        arguments.push_back(quote_name(m_spec.columns[i].name));
        types.push_back(m_spec.columns[i].type);
    }
    SqlTemplate sql;
    sql.pieces = {{SqlPiece::Kind::text, fmt::format("DELETE FROM {} WHERE ", m_table), {}, {}},
                  {SqlPiece::Kind::affected, "", arguments, {}},
                  {SqlPiece::Kind::text, " RETURNING " + list(""), {}, {}}};
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = types;
    append(returned, m_target.query(sql, scope));
    return returned;
}

RowSet UndoStatements::update(const std::vector<UndoRow>& rows) {
    RowSet returned(columns(m_spec.renames));
    if (rows.empty()) return returned;
    for (const auto& [round, together] : rounds_of(rows)) {
        std::map<std::vector<std::size_t>, Rows> alike;
        for (const UndoRow* row : together) alike[row->columns].push_back(row);
        for (const auto& [columns, group] : alike) update_alike(group, returned);
    }
    return returned;
}

void UndoStatements::update_alike(const Rows& rows, RowSet& returned) {
    postgres() ? update_set(rows, returned) : update_each(rows, returned);
}

void UndoStatements::update_set(const Rows& rows, RowSet& returned) {
    const std::vector<std::size_t>& columns = rows.front()->columns;
    const std::size_t width = m_spec.key_width;
    std::vector<std::string> values, keys, old_keys;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const UndoColumn& column = m_spec.columns[columns[i]];
        values.push_back(
            fmt::format("{} = {}", quote_name(column.name), cast_value(width + i + 1, column.type)));
    }
    for (std::size_t i = 0; i < width; ++i) {
        const UndoColumn& column = m_spec.columns[i];
        const std::string key = cast_value(i + 1, column.type);
        keys.push_back(fmt::format("datachange_live.{} = {}", quote_name(column.name), key));
        if (m_spec.renames)
            old_keys.push_back(fmt::format(", {} AS {}", key, quote_name("was_" + column.name)));
    }
    TextArrays arrays(width + columns.size());
    for (const UndoRow* row : rows) {
        const Key key = row->image.live_key();
        for (std::size_t i = 0; i < width; ++i) arrays.add(i, key[i].view());
        for (std::size_t i = 0; i < columns.size(); ++i) arrays.add(width + i, row->image.before(columns[i]));
    }
    append(returned,
           m_target.query(fmt::format("UPDATE {} AS datachange_live SET {} FROM {} WHERE {} RETURNING {}{}",
                                      m_table, join(values, ", "), rows_from(width + columns.size()),
                                      join(keys, " AND "), list("datachange_live."), join(old_keys, "")),
                          arrays.parameters()));
}

void UndoStatements::update_each(const Rows& rows, RowSet& returned) {
    const std::vector<std::size_t>& columns = rows.front()->columns;
    std::vector<std::string> values, keys;
    std::size_t number = 0;
    for (const std::size_t column : columns)
        values.push_back(fmt::format("{} = ${}", quote_name(m_spec.columns[column].name), ++number));
    for (std::size_t i = 0; i < m_spec.key_width; ++i)
        keys.push_back(fmt::format("{} = ${}", quote_name(m_spec.columns[i].name), ++number));
    const std::string sql = fmt::format("UPDATE OR ABORT {} SET {} WHERE {} RETURNING {}", m_table,
                                        join(values, ", "), join(keys, " AND "), list(""));
    for (const UndoRow* row : rows) {
        std::vector<Value> parameters;
        for (const std::size_t column : columns) parameters.emplace_back(row->image.before(column));
        const Key key = row->image.live_key();
        parameters.insert(parameters.end(), key.begin(), key.end());
        const RowSet changed = m_target.query(sql, parameters);
        for (std::size_t i = 0; i < changed.size(); ++i) {
            for (std::size_t j = 0; j < changed.width(); ++j) returned.add(changed.at(i, j));
            for (std::size_t j = 0; m_spec.renames && j < key.size(); ++j) returned.add(key[j].view());
        }
    }
}

RowSet UndoStatements::insert(const std::vector<UndoRow>& rows) {
    RowSet returned(columns(false));
    if (rows.empty()) return returned;
    const std::vector<std::size_t>& columns = rows.front().columns;
    const std::string names = column_names_of(columns);
    if (!postgres()) {
        std::vector<std::string> places;
        for (std::size_t i = 1; i <= columns.size(); ++i) places.push_back(fmt::format("${}", i));
        const std::string sql = fmt::format("INSERT OR ABORT INTO {} ({}) VALUES ({}) RETURNING {}", m_table,
                                            names, join(places, ", "), list(""));
        for (const UndoRow& row : rows) {
            std::vector<Value> parameters;
            for (const std::size_t column : columns) parameters.emplace_back(row.image.before(column));
            append(returned, m_target.query(sql, parameters));
        }
        return returned;
    }
    std::vector<std::string> values;
    TextArrays arrays(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        values.push_back(cast_value(i + 1, m_spec.columns[columns[i]].type));
        for (const UndoRow& row : rows) arrays.add(i, row.image.before(columns[i]));
    }
    append(returned,
           m_target.query(
               fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} RETURNING {}",
                           m_table, names, join(values, ", "), rows_from(columns.size()), list("")),
               arrays.parameters()));
    return returned;
}

}  // namespace datachange
