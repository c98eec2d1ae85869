#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace datachange {

/// Columns a text takes on a terminal.
std::size_t display_width(std::string_view utf8);

/// The text cut to a width, with an ellipsis if something was cut; made printable().
std::string fit(std::string_view utf8, std::size_t width);

/// Text in which all is visible that could move the cursor of a terminal, turn the writing direction, or
/// hide: control characters (\n, \t, \x1b, \u009b), marks and overrides of direction (\u202e), bytes that are
/// no UTF-8 (\xff).
std::string printable(std::string_view utf8);
/// The same, but lines stay lines.
std::string printable_lines(std::string_view utf8);

/// An aligned table for a terminal or a file.
class Table {
public:
    enum class Align { left, right };

    explicit Table(std::vector<std::string> header, std::vector<Align> aligns = {});
    void add(std::vector<std::string> cells);
    bool empty() const { return m_rows.size() <= 1; }
    /// Each line ends with a newline and is indented. @param widest cells are cut to this many columns; 0:
    /// not at all.
    std::string text(std::size_t indent = 0, std::size_t widest = 0) const;

private:
    std::vector<Align> m_aligns;
    std::vector<std::vector<std::string>> m_rows;  ///< the first is the header
};

}  // namespace datachange
