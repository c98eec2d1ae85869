#include "report/visible_text.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/value_json.hpp"
#include "report/characters.hpp"
#include "report/value_text.hpp"

namespace datachange {

namespace {

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
        const std::size_t begin = at;
        const char32_t code = next_character(text, at);
        if (const char* const name = entity(code)) {
            out += name;
        } else if (is_hidden(code) && code != '\n' && code != '\t') {
            out.append(before_mark).append(code_point(code)).append(behind_mark);
        } else if (code == no_character) {
            out += "\uFFFD";
        } else {
            out += text.substr(begin, at - begin);
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
        const std::size_t begin = at;
        const char32_t code = next_character(text, at);
        if (code == '\n') {
            out += "\\n";
        } else if (code == '\r') {
            out += "\\r";
        } else if (code == '\t') {
            out += "\\t";
        } else if (is_hidden(code)) {
            out += fmt::format("\\u{{{:X}}}", static_cast<std::uint32_t>(code));
        } else if (code == no_character) {
            out += "\uFFFD";
        } else {
            out += text.substr(begin, at - begin);
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
