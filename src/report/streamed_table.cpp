#include "report/streamed_table.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "report/table.hpp"

namespace datachange {

namespace {

int code_of(Paint paint) {
    switch (paint) {
        case Paint::bold:
            return 1;
        case Paint::faint:
            return 2;
        case Paint::red:
            return 31;
        case Paint::green:
            return 32;
        case Paint::yellow:
            return 33;
        default:
            return 0;
    }
}

}  // namespace

std::string painted(std::string_view text, Paint paint) {
    if (paint == Paint::none || text.empty()) return std::string{text};
    return fmt::format("\x1b[{}m{}\x1b[0m", code_of(paint), text);
}

StreamedTable::StreamedTable(const std::vector<std::string>& header, TableStyle style, Write write)
    : m_style(style), m_write(std::move(write)), m_widths(header.size(), 0) {
    std::vector<Cell> cells;
    for (const std::string& name : header) cells.push_back({name, Paint::faint});
    add(std::move(cells));
}

void StreamedTable::add(std::vector<Cell> cells) {
    cells.resize(m_widths.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        std::string& text = cells[i].text;
        text = m_style.widest == 0 ? printable(text) : fit(text, m_style.widest);
        m_widths[i] = std::max(m_widths[i], display_width(text));
        m_bytes += text.size();
    }
    m_page.push_back(std::move(cells));
    if (m_page.size() >= most_rows || m_bytes >= most_bytes) flush();
}

void StreamedTable::flush() {
    std::string page;
    for (const auto& row : m_page) page += line(row);
    m_page.clear();
    m_bytes = 0;
    if (!page.empty()) m_write(page);
}

/// One line, without spaces at its end.
std::string StreamedTable::line(const std::vector<Cell>& row) const {
    std::string out;
    std::size_t spaces = m_style.indent;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!row[i].text.empty()) {
            out.append(spaces, ' ') += m_style.color ? painted(row[i].text, row[i].paint) : row[i].text;
            spaces = 0;
        }
        spaces += m_widths[i] - display_width(row[i].text) + 2;
    }
    return out + "\n";
}

}  // namespace datachange
