#include "report/visible_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/value_json.hpp"
#include "report/value_text.hpp"

namespace datachange {

namespace {

constexpr char32_t no_character = 0xFFFD;

struct Character {
    char32_t code;
    std::string_view bytes;
};

/// The character that begins at `at`; a byte that begins none is one of its own.
Character character_at(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return {lead, text.substr(at, 1)};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return {no_character, text.substr(at, 1)};
    char32_t code = lead & (0xFF >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[at + i]);
        if ((next & 0xC0) != 0x80) return {no_character, text.substr(at, 1)};
        code = (code << 6) | (next & 0x3F);
    }
    return {code, text.substr(at, length)};
}

/// Characters that nobody sees, or that move or hide others. The script of the report has the same list.
bool is_hidden(char32_t code) {
    struct Span {
        char32_t from, to;
    };
    static constexpr std::array<Span, 13> hidden{{{0x00, 0x1F},
                                                  {0x7F, 0x9F},
                                                  {0xAD, 0xAD},
                                                  {0x61C, 0x61C},
                                                  {0x180E, 0x180E},
                                                  {0x200B, 0x200B},
                                                  {0x200E, 0x200F},
                                                  {0x2028, 0x202E},
                                                  {0x2060, 0x2069},
                                                  {0xFEFF, 0xFEFF},
                                                  {0xFFF9, 0xFFFB},
                                                  {0xE0000, 0xE007F},
                                                  {0xD800, 0xDFFF}}};
    return std::any_of(hidden.begin(), hidden.end(),
                       [code](const Span& span) { return code >= span.from && code <= span.to; });
}

std::string code_point(char32_t code) {
    return fmt::format("U+{:04X}", static_cast<std::uint32_t>(code));
}

const char* entity(char32_t code) {
    switch (code) {
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '&':
            return "&amp;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        default:
            return nullptr;
    }
}

std::string escaped(std::string_view text, const char* before_mark, const char* behind_mark) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const Character one = character_at(text, at);
        at += one.bytes.size();
        if (const char* const name = entity(one.code)) {
            out += name;
        } else if (is_hidden(one.code) && one.code != '\n' && one.code != '\t') {
            out.append(before_mark).append(code_point(one.code)).append(behind_mark);
        } else if (one.code == no_character) {
            out += "\uFFFD";
        } else {
            out += one.bytes;
        }
    }
    return out;
}

/// On one line, hidden characters as in "\n" and "\u{202E}".
std::string one_line(std::string_view text, std::size_t longest) {
    std::string out;
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) {
        if (count == longest) return out + fmt::format("… ({} bytes)", with_thousands(text.size()));
        const Character one = character_at(text, at);
        at += one.bytes.size();
        if (one.code == '\n') {
            out += "\\n";
        } else if (one.code == '\r') {
            out += "\\r";
        } else if (one.code == '\t') {
            out += "\\t";
        } else if (is_hidden(one.code)) {
            out += fmt::format("\\u{{{:X}}}", static_cast<std::uint32_t>(one.code));
        } else if (one.code == no_character) {
            out += "\uFFFD";
        } else {
            out += one.bytes;
        }
    }
    return out;
}

std::size_t longest_run(std::string_view text, char of) {
    std::size_t longest = 0, run = 0;
    for (const char c : text) {
        run = c == of ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    return longest;
}

}  // namespace

std::string html_text(std::string_view utf8) {
    return escaped(utf8, "<span class=\"code\">", "</span>");
}

std::string html_attribute(std::string_view utf8) {
    return escaped(utf8, "[", "]");
}

std::string markdown_text(std::string_view utf8) {
    // who is mentioned is told, however the @ is escaped; only in code it is left alone
    if (utf8.find('@') != std::string_view::npos) return markdown_code(utf8, std::string_view::npos);
    const std::string text = one_line(utf8, std::string_view::npos);
    const auto is_word = [&](std::size_t at) {
        const auto c = at < text.size() ? static_cast<unsigned char>(text[at]) : ' ';
        return c >= 0x80 || std::isalnum(c) != 0 || c == '_';
    };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool within_word = c == '_' && i > 0 && is_word(i - 1) && is_word(i + 1);
        if (c == '<' || c == '>' || c == '&') {
            out += entity(static_cast<unsigned char>(c));
            continue;
        }
        if (!within_word && std::string_view{"\\`*_[]|~"}.find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

std::string markdown_code(std::string_view utf8, std::size_t longest) {
    const std::string text = one_line(utf8, longest);
    const std::string fence(longest_run(text, '`') + 1, '`');
    // a blank at both ends is taken away again by who renders it
    const bool padded = text.empty() || text.front() == '`' || text.back() == '`' || text.front() == ' ' ||
                        text.back() == ' ';
    std::string out = fence + (padded ? " " : "");
    for (const char c : text) {
        if (c == '|') out += '\\';  // ends the cell of a table even within code
        out += c;
    }
    return out + (padded ? " " : "") + fence;
}

std::string plain_value_text(std::string_view json) {
    return json.starts_with('"') ? parse_json_string(json) : value_text(json);
}

}  // namespace datachange
