#include "target/postgres/bind.hpp"

#include <map>

#include <fmt/format.h>

#include "core/text.hpp"
#include "target/macros.hpp"
#include "target/postgres/value_text.hpp"

namespace datachange::postgres {

std::optional<std::string> parameter_text(const Value& value, const std::string& sql) {
    if (value.is_null()) return std::nullopt;
    if (value.kind == ValueKind::blob) return "\\x" + to_hex(value.bytes);
    if (value.bytes.find('\0') != std::string::npos) {
        throw DatabaseError(ExitCode::failed, "a text with a NUL byte cannot be given to PostgreSQL", "22021",
                            sql);
    }
    return value.bytes;
}

namespace {

/// Collects the parameters of one statement while its macros are written.
class Binder {
public:
    Binder(const SqlTemplate& sql, const Scope& scope, bool look_up)
        : m_sql(sql), m_scope(scope), m_look_up(look_up) {}

    BoundStatement bind() {
        const MacroWriter writer{
            [this](const Value& value, std::size_t column) { return bound(value, column); },
            [this](const std::vector<std::string>& arguments) { return affected(arguments); },
            [](const std::string& comparison, bool) { return comparison; },
        };
        m_statement.sql = write_macros(m_sql, m_scope, writer);
        return std::move(m_statement);
    }

private:
    std::string add(std::optional<std::string> parameter) {
        m_statement.parameters.push_back(std::move(parameter));
        return "$" + std::to_string(m_statement.parameters.size());
    }

    std::string bound(const Value& value, std::size_t column) {
        std::string& placeholder = m_bounds[&value];
        if (placeholder.empty()) placeholder = add(parameter_text(value, m_sql.text()));
        return placeholder + cast(m_scope.range_types, column, "");
    }

    std::string affected(const std::vector<std::string>& arguments) {
        if (m_arrays.empty()) add_arrays(arguments.size());
        if (arguments.size() == 1) return row_of(arguments) + " = ANY(" + m_arrays.front() + ")";
        std::vector<std::string> columns;
        for (const std::string& array : m_arrays) columns.push_back("pg_catalog.unnest(" + array + ")");
        return row_of(arguments) + " IN (SELECT * FROM ROWS FROM (" + join(columns, ", ") + "))";
    }

    void add_arrays(std::size_t width) {
        const bool typed = m_scope.affected_types.size() >= width;
        m_statement.planned_for_arrays = !m_look_up || !typed;
        for (std::size_t column = 0; column < width; ++column) {
            const std::string type = cast(m_scope.affected_types, column, "[]");
            const std::string array = add(literal_of(column)) + type;
            // a sub-select is evaluated when the statement is executed
            m_arrays.push_back(m_statement.planned_for_arrays ? array : "(SELECT " + array + ")" + type);
        }
    }

    std::string literal_of(std::size_t column) const {
        std::string literal = "{";
        for (const Key& key : *m_scope.affected) {
            if (literal.size() > 1) literal += ',';
            const Value& value = key.at(column);
            if (value.kind == ValueKind::integer) {  // as it is
                literal += value.bytes;
            } else if (const std::optional<std::string> text = parameter_text(value, m_sql.text())) {
                append_array_element(literal, *text);
            } else {
                literal += "NULL";
            }
        }
        return literal + "}";
    }

    static std::string cast(const std::vector<std::string>& types, std::size_t column,
                            std::string_view suffix) {
        return column < types.size() ? fmt::format("::{}{}", types[column], suffix) : std::string{};
    }

    const SqlTemplate& m_sql;
    const Scope& m_scope;
    const bool m_look_up;
    BoundStatement m_statement;
    std::map<const Value*, std::string> m_bounds;
    std::vector<std::string> m_arrays;
};

}  // namespace

BoundStatement bind(const SqlTemplate& sql, const Scope& scope, bool look_up) {
    return Binder{sql, scope, look_up}.bind();
}

}  // namespace datachange::postgres
