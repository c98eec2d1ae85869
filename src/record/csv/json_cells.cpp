#include "record/csv/json_cells.hpp"

#include <stdexcept>

#include "core/value_json.hpp"

namespace datachange {

namespace {

[[noreturn]] void fail() {
    throw std::invalid_argument("not an array of values");
}

// find_first_of would call memchr for every character: loops are several times as fast on short texts.

/// The place behind the string whose opening quote stands at `at`.
std::size_t string_end(std::string_view json, std::size_t at) {
    for (++at; at < json.size(); ++at) {
        if (json[at] == '"') return at + 1;
        if (json[at] == '\\') ++at;
    }
    fail();
}

/// The place behind the value that begins at `at`.
std::size_t value_end(std::string_view json, std::size_t at) {
    int depth = 0;
    while (at < json.size()) {
        const char c = json[at];
        if (c == '"') {
            at = string_end(json, at);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']')) return at;
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        ++at;
    }
    fail();
}

bool needs_quotes(std::string_view text) {
    if (text.empty() || text.front() == ' ' || text.back() == ' ') return true;
    for (const char c : text) {
        if (c == ',' || c == '"' || c == '\r' || c == '\n') return true;
    }
    return false;
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (;;) {
        const std::size_t quote = text.find('"');
        out += text.substr(0, quote);
        if (quote == std::string_view::npos) break;
        out += "\"\"";
        text.remove_prefix(quote + 1);
    }
    out += '"';
}

}  // namespace

void split_json_array(std::string_view json, std::vector<std::string_view>& cells) {
    cells.clear();
    if (json.size() < 2 || json.front() != '[' || json.back() != ']') fail();
    if (json.size() == 2) return;
    for (std::size_t at = 1;;) {
        const std::size_t end = value_end(json, at);
        cells.push_back(json.substr(at, end - at));
        if (json[end] == ']') {
            if (end + 1 != json.size()) fail();
            return;
        }
        at = end + 1;
    }
}

void append_csv_text(std::string& out, std::string_view text) {
    if (needs_quotes(text)) {
        append_quoted(out, text);
    } else {
        out += text;
    }
}

void append_csv_value(std::string& out, std::string_view json) {
    switch (json.front()) {
        case 'n':
            return;
        case 't':
            out += 't';
            return;
        case 'f':
            out += 'f';
            return;
        case '"':
            if (json.find('\\') == std::string_view::npos) {
                append_csv_text(out, json.substr(1, json.size() - 2));
                return;
            }
            append_csv_text(out, parse_json_array("[" + std::string{json} + "]").front().bytes);
            return;
        case '{': {  // {"$blob":"00ff"}
            const std::size_t value = json.find(':') + 2;
            if (json[2] != '$' || value + 2 > json.size()) fail();
            if (json[3] != 'r') out += "\\x";
            out += json.substr(value, json.size() - value - 2);
            return;
        }
        default:
            out += json;
    }
}

}  // namespace datachange
