#include "record/csv/csv_value.hpp"

#include <stdexcept>

#include "core/value_json.hpp"

namespace datachange {

namespace {

// A loop, for find_first_of calls memchr for every character.
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
            if (json[2] != '$' || value + 2 > json.size()) throw std::invalid_argument("not a value");
            if (json[3] != 'r') out += "\\x";
            out += json.substr(value, json.size() - value - 2);
            return;
        }
        default:
            out += json;
    }
}

}  // namespace datachange
