#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace datachange {

/// Takes text, piece by piece.
using Write = std::function<void(std::string_view)>;

enum class Paint { none, bold, faint, red, green, yellow };

/// The text in a colour, for a terminal.
std::string painted(std::string_view text, Paint paint);

/// What stands in a place of a table, and its colour.
struct Cell {
    std::string text;
    Paint paint = Paint::none;
};

struct TableStyle {
    std::size_t indent = 0;
    std::size_t widest = 60;  ///< cells are cut to so many columns; 0: not at all
    bool color = false;
};

/// An aligned table of any number of rows: it is written a page at a time, and a column is as wide as its
/// widest cell up to there. Cells are made printable().
class StreamedTable {
public:
    StreamedTable(const std::vector<std::string>& header, TableStyle style, Write write);
    void add(std::vector<Cell> cells);
    /// Writes what waits to be written.
    void flush();

private:
    static constexpr std::size_t most_rows = 1000;
    static constexpr std::size_t most_bytes = std::size_t{1} << 20;

    std::string line(const std::vector<Cell>& row) const;

    TableStyle m_style;
    Write m_write;
    std::vector<std::size_t> m_widths;
    std::vector<std::vector<Cell>> m_page;
    std::size_t m_bytes = 0;
};

}  // namespace datachange
