#include "target/postgres/value_text.hpp"

#include <algorithm>

#include "core/value.hpp"

namespace datachange::postgres {

namespace {

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

}  // namespace

std::string hex_bytea(std::string_view text) {
    if (text.starts_with("\\x")) return std::string{text};
    // bytea_output = escape: a backslash is doubled, bytes that are not printable are \ooo
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            bytes += text[at];
        } else if (at + 3 < text.size() && is_octal(text[at + 1])) {
            bytes += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                       (text[at + 3] - '0'));
            at += 3;
        } else {
            bytes += '\\';
            ++at;
        }
    }
    return "\\x" + to_hex(bytes);
}

void append_array_element(std::string& literal, std::string_view element) {
    literal += '"';
    for (const char c : element) {
        if (c == '"' || c == '\\') literal += '\\';
        literal += c;
    }
    literal += '"';
}

namespace {

/// As array_out quotes an element: only where it must be.
void append_as_array_out(std::string& out, std::string_view element) {
    const bool null_word = element.size() == 4 && (element[0] | 0x20) == 'n' && (element[1] | 0x20) == 'u' &&
                           (element[2] | 0x20) == 'l' && (element[3] | 0x20) == 'l';
    const bool plain = !element.empty() && !null_word &&
                       element.find_first_of("\"\\{}, \t\n\r\v\f") == std::string_view::npos;
    if (plain) {
        out += element;
    } else {
        append_array_element(out, element);
    }
}

/// As range_deparse quotes a bound.
void append_as_range_out(std::string& out, std::string_view bound) {
    if (!bound.empty() && bound.find_first_of("\"\\()[], \t\n\r\v\f") == std::string_view::npos) {
        out += bound;
        return;
    }
    out += '"';
    for (const char c : bound) {
        if (c == '"' || c == '\\') out += c;
        out += c;
    }
    out += '"';
}

/// Takes a quoted part off the front of a text, its quotes and escapes resolved: \c is c, and so is "" for ".
std::string take_quoted(std::string_view& rest) {
    std::string part;
    std::size_t at = 1;
    for (; at < rest.size(); ++at) {
        if (rest[at] == '\\' && at + 1 < rest.size()) {
            part += rest[++at];
        } else if (rest[at] != '"') {
            part += rest[at];
        } else if (at + 1 < rest.size() && rest[at + 1] == '"') {
            part += rest[at++];
        } else {
            break;
        }
    }
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return part;
}

std::string_view take_until(std::string_view& rest, std::string_view ends) {
    const std::string_view part = rest.substr(0, rest.find_first_of(ends));
    rest.remove_prefix(part.size());
    return part;
}

}  // namespace

std::string change_array(std::string_view text, const TextChange& change) {
    std::string out;
    std::string_view rest = text;
    out += take_until(rest, "{");  // "[0:2]=" where subscripts do not begin at 1
    while (!rest.empty()) {
        const char c = rest.front();
        if (c == '{' || c == '}' || c == ',') {
            out += c;
            rest.remove_prefix(1);
        } else if (c == '"') {
            append_as_array_out(out, change(take_quoted(rest)));
        } else {
            const std::string_view element = take_until(rest, ",{}");
            if (element == "NULL") {
                out += element;
            } else {
                append_as_array_out(out, change(element));
            }
        }
    }
    return out;
}

namespace {

/// Takes one range off the front of a text and appends it, changed.
void change_one(std::string& out, std::string_view& rest, const TextChange& change) {
    out += rest.front();  // [ or (
    rest.remove_prefix(1);
    while (!rest.empty()) {
        const char c = rest.front();
        if (c == '"') {
            append_as_range_out(out, change(take_quoted(rest)));
        } else if (c == ',') {
            out += c;
            rest.remove_prefix(1);
        } else if (c == ']' || c == ')') {
            out += c;
            rest.remove_prefix(1);
            return;
        } else {
            append_as_range_out(out, change(take_until(rest, ",])")));
        }
    }
}

}  // namespace

std::string change_range(std::string_view text, const TextChange& change) {
    if (text.empty() || text == "empty") return std::string{text};
    std::string out;
    change_one(out, text, change);
    return out;
}

std::string change_multirange(std::string_view text, const TextChange& change_one_range) {
    std::string out;
    std::string_view rest = text;
    while (!rest.empty()) {
        if (rest.front() == '[' || rest.front() == '(') {
            // the end of a range is found by walking it: a quoted bound may hold brackets
            std::string_view behind = rest;
            std::string walked;
            change_one(walked, behind, [](std::string_view bound) { return std::string{bound}; });
            out += change_one_range(rest.substr(0, rest.size() - behind.size()));
            rest = behind;
        } else {
            out += rest.front();
            rest.remove_prefix(1);
        }
    }
    return out;
}

}  // namespace datachange::postgres
