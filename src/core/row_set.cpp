#include "core/row_set.hpp"

#include "core/text.hpp"

namespace datachange {

void RowSet::add_row(const RowSet& other, std::size_t row) {
    for (std::size_t column = 0; column < other.width(); ++column) add(other.at(row, column));
}

void RowSet::reserve(std::size_t rows, std::size_t bytes) {
    m_cells.reserve(rows * m_columns.size());
    m_bytes.reserve(bytes);
}

RowSet RowSet::with_columns(std::vector<Column> columns) const {
    RowSet rows(std::move(columns));
    rows.m_cells = m_cells;
    rows.m_bytes = m_bytes;
    return rows;
}

RowSet RowSet::part(std::size_t from, std::size_t to) const {
    RowSet rows(m_columns);
    for (std::size_t row = from; row < to; ++row) rows.add_row(*this, row);
    return rows;
}

Key RowSet::key(std::size_t row, const std::vector<std::size_t>& columns) const {
    Key key;
    key.reserve(columns.size());
    for (const std::size_t column : columns) key.emplace_back(at(row, column));
    return key;
}

std::string RowSet::key_text(std::size_t row, const std::vector<std::size_t>& columns) const {
    if (columns.size() == 1) return datachange::key_text(at(row, columns.front()));
    return datachange::key_text(key(row, columns));
}

std::optional<std::size_t> find_column(const std::vector<Column>& columns, std::string_view name) {
    std::optional<std::size_t> near;
    std::size_t near_count = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name) return i;
        if (lower(columns[i].name) == lower(name)) {
            near = i;
            ++near_count;
        }
    }
    return near_count == 1 ? near : std::nullopt;
}

std::vector<std::string> column_names(const std::vector<Column>& columns) {
    std::vector<std::string> names;
    names.reserve(columns.size());
    for (const Column& column : columns) names.push_back(column.name);
    return names;
}

}  // namespace datachange
