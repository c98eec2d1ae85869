#include "report/table.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace datachange {

namespace {

/// The code point at `at`, and `at` moved behind it; a stray byte counts as one of its own.
char32_t next_code_point(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    std::size_t length = 1;
    char32_t code = lead;
    if (lead >= 0xF0) {
        length = 4;
        code = lead & 0x07;
    } else if (lead >= 0xE0) {
        length = 3;
        code = lead & 0x0F;
    } else if (lead >= 0xC0) {
        length = 2;
        code = lead & 0x1F;
    }
    if (at + length > text.size()) length = 1;
    for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (byte(at + i) & 0x3F);
    at += length;
    return code;
}

struct Span {
    char32_t from, to;
};

template <std::size_t N>
bool within(char32_t code, const std::array<Span, N>& spans) {
    return std::any_of(spans.begin(), spans.end(),
                       [code](const Span& span) { return code >= span.from && code <= span.to; });
}

/// The blocks that matter in practice; after Unicode's EastAsianWidth.txt and the general categories Mn, Me
/// and Cf.
std::size_t code_point_width(char32_t code) {
    static constexpr std::array<Span, 9> zero{{{0x300, 0x36F},
                                               {0x483, 0x489},
                                               {0x591, 0x5BD},
                                               {0x610, 0x61A},
                                               {0x64B, 0x65F},
                                               {0x200B, 0x200F},
                                               {0x202A, 0x202E},
                                               {0x20D0, 0x20F0},
                                               {0xFE00, 0xFE0F}}};
    static constexpr std::array<Span, 10> wide{{{0x1100, 0x115F},
                                                {0x2E80, 0x303E},
                                                {0x3041, 0xA4CF},
                                                {0xAC00, 0xD7A3},
                                                {0xF900, 0xFAFF},
                                                {0xFE30, 0xFE6F},
                                                {0xFF00, 0xFF60},
                                                {0xFFE0, 0xFFE6},
                                                {0x1F300, 0x1FAFF},
                                                {0x20000, 0x3FFFD}}};
    if (within(code, zero)) return 0;
    return within(code, wide) ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
    std::size_t width = 0;
    for (std::size_t at = 0; at < utf8.size();) width += code_point_width(next_code_point(utf8, at));
    return width;
}

std::string printable(std::string_view utf8) {
    std::string out;
    for (const char c : utf8) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7F) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

std::string fit(std::string_view utf8, std::size_t width) {
    const std::string text = printable(utf8);
    if (display_width(text) <= width) return text;
    std::size_t used = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t next = at;
        const std::size_t one = code_point_width(next_code_point(text, next));
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
