#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace datachange {

/// Columns a text takes on a terminal: code points, wide East Asian ones and emoji counted twice, combining
/// ones not.
std::size_t display_width(std::string_view utf8);

/// The text cut to a width, with an ellipsis if something was cut; control characters become visible (\n, \t,
/// \x1b).
std::string fit(std::string_view utf8, std::size_t width);

/// Text with control characters made visible, so that a value cannot move the cursor of a terminal.
std::string printable(std::string_view utf8);

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
