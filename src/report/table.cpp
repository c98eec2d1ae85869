#include "report/table.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "report/characters.hpp"

namespace datachange {

namespace {

std::size_t width_of(char32_t code) {
    return code == no_character ? 1 : character_width(code);
}

std::string escaped(char32_t code) {
    switch (code) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        default:
            return code < 0x80 ? fmt::format("\\x{:02x}", static_cast<std::uint32_t>(code))
                               : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code));
    }
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
    std::size_t width = 0;
    for (std::size_t at = 0; at < utf8.size();) width += width_of(next_character(utf8, at));
    return width;
}

std::string printable(std::string_view utf8) {
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        const std::size_t begin = at;
        const char32_t code = next_character(utf8, at);
        if (code == no_character) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(utf8[begin]));
        } else if (is_hidden(code)) {
            out += escaped(code);
        } else {
            out += utf8.substr(begin, at - begin);
        }
    }
    return out;
}

std::string printable_lines(std::string_view utf8) {
    std::string out;
    for (;;) {
        const std::size_t end = utf8.find('\n');
        out += printable(utf8.substr(0, end));
        if (end == std::string_view::npos) return out;
        out += '\n';
        utf8.remove_prefix(end + 1);
    }
}

std::string fit(std::string_view utf8, std::size_t width) {
    const std::string text = printable(utf8);
    if (display_width(text) <= width) return text;
    std::size_t used = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t next = at;
        const std::size_t one = width_of(next_character(text, next));
        if (used + one + 1 > width) break;
        used += one;
        at = next;
    }
    return text.substr(0, at) + "…";
}

Table::Table(std::vector<std::string> header, std::vector<Align> aligns) : m_aligns(std::move(aligns)) {
    m_aligns.resize(header.size(), Align::left);
    m_rows.push_back(std::move(header));
}

void Table::add(std::vector<std::string> cells) {
    cells.resize(m_rows.front().size());
    m_rows.push_back(std::move(cells));
}

std::string Table::text(std::size_t indent, std::size_t widest) const {
    std::vector<std::vector<std::string>> rows = m_rows;
    std::vector<std::size_t> widths(m_aligns.size(), 0);
    for (auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = widest == 0 ? printable(row[i]) : fit(row[i], widest);
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line(indent, ' ');
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - display_width(row[i]), ' ');
            line += (i > 0 ? "  " : "") + (m_aligns[i] == Align::right ? padding + row[i] : row[i] + padding);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

}  // namespace datachange
