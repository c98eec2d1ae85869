#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/key.hpp"
#include "core/value.hpp"

namespace datachange {

/// A column of a result.
struct Column {
    std::string name;
    std::string type;           ///< PostgreSQL: the type's name as SQL writes it; SQLite: as declared, or ""
    std::string origin_table;   ///< the table that the column comes from unchanged, or ""
    std::string origin_column;  ///< its name there

    bool operator==(const Column&) const = default;
};

/// A table of values in one block of memory: rows of a result, in order.
class RowSet {
public:
    RowSet() = default;
    explicit RowSet(std::vector<Column> columns) : m_columns(std::move(columns)) {}

    /// Adds the next cell of the row being filled; the first cell of a new row follows the last of the
    /// former.
    void add(ValueView value) {
        m_cells.push_back({m_bytes.size(), static_cast<std::uint32_t>(value.bytes.size()), value.kind});
        m_bytes.append(value.bytes);
    }
    void add(ValueKind kind, std::string_view bytes) { add(ValueView{kind, bytes}); }
    /// Adds a whole row of another set with the same number of columns.
    void add_row(const RowSet& other, std::size_t row);
    void reserve(std::size_t rows, std::size_t bytes);
    /// The same values under other columns, of which there are as many.
    RowSet with_columns(std::vector<Column> columns) const;
    /// Rows [from, to) as a set of their own.
    RowSet part(std::size_t from, std::size_t to) const;

    const std::vector<Column>& columns() const { return m_columns; }
    std::size_t width() const { return m_columns.size(); }
    std::size_t size() const { return m_columns.empty() ? 0 : m_cells.size() / m_columns.size(); }
    bool empty() const { return m_cells.empty(); }
    /// The length of all values together.
    std::size_t bytes() const { return m_bytes.size(); }
    ValueView at(std::size_t row, std::size_t column) const {
        const Cell& cell = m_cells[row * m_columns.size() + column];
        return {cell.kind, {m_bytes.data() + cell.offset, cell.length}};
    }
    Value value(std::size_t row, std::size_t column) const { return Value{at(row, column)}; }
    /// The text of a cell; "" for NULL. For results of the tool's own queries.
    std::string text(std::size_t row, std::size_t column) const { return std::string{at(row, column).bytes}; }
    Key key(std::size_t row, const std::vector<std::size_t>& columns) const;
    /// key_text of the key that a row has in these columns.
    std::string key_text(std::size_t row, const std::vector<std::size_t>& columns) const;

private:
    struct Cell {
        std::uint64_t offset;
        std::uint32_t length;
        ValueKind kind;
    };
    std::vector<Column> m_columns;
    std::vector<Cell> m_cells;
    std::string m_bytes;
};

/// The place of a column by name: exactly, or else regardless of case where that names just one.
std::optional<std::size_t> find_column(const std::vector<Column>& columns, std::string_view name);

/// The names, in order.
std::vector<std::string> column_names(const std::vector<Column>& columns);

}  // namespace datachange
