#include "record/csv/csv_value.hpp"

#include <array>
#include <stdexcept>

#include "core/value_json.hpp"

namespace datachange {

namespace {

constexpr std::array<bool, 256> make_special(std::string_view characters) {
    std::array<bool, 256> special{};
    for (const char c : characters) special[static_cast<unsigned char>(c)] = true;
    return special;
}
constexpr auto needs_quotes = make_special(",\"\r\n");
constexpr auto needs_more = make_special(",\"\r\n\\");  // or stands escaped in JSON

// A loop without a branch, for most texts are short and have none of them.
bool has_any(std::string_view text, const std::array<bool, 256>& special) {
    bool found = false;
    for (const char c : text) found |= special[static_cast<unsigned char>(c)];
    return found;
}

bool empty_or_spaced(std::string_view text) {
    return text.empty() || text.front() == ' ' || text.back() == ' ';
}

std::string_view quoted(std::string_view text, std::string& memory) {
    memory.assign(1, '"');
    for (;;) {
        const std::size_t quote = text.find('"');
        memory += text.substr(0, quote);
        if (quote == std::string_view::npos) break;
        memory += "\"\"";
        text.remove_prefix(quote + 1);
    }
    memory += '"';
    return memory;
}

std::string_view string_value(std::string_view json, std::string& memory) {
    const std::string_view text = json.substr(1, json.size() - 2);
    if (!empty_or_spaced(text) && !has_any(text, needs_more)) return text;
    if (text.find('\\') == std::string_view::npos) return quoted(text, memory);
    std::string decoded = parse_json_string(json);
    if (!empty_or_spaced(decoded) && !has_any(decoded, needs_quotes)) return memory = std::move(decoded);
    return quoted(decoded, memory);
}

/// {"$blob":"00ff"}
std::string_view tagged_value(std::string_view json, std::string& memory) {
    const std::size_t value = json.find(':') + 2;
    if (json[2] != '$' || value + 2 > json.size()) throw std::invalid_argument("not a value");
    const std::string_view text = json.substr(value, json.size() - value - 2);
    if (json[3] == 'r') return text;
    if (json[3] == 'h') return memory.assign("hmac:").append(text);
    return memory.assign("\\x").append(text);
}

}  // namespace

std::string_view csv_text(std::string_view text, std::string& memory) {
    return empty_or_spaced(text) || has_any(text, needs_quotes) ? quoted(text, memory) : text;
}

std::string_view csv_value(std::string_view json, std::string& memory) {
    switch (json.front()) {
        case 'n':
            return {};
        case 't':
            return "t";
        case 'f':
            return "f";
        case '"':
            return string_value(json, memory);
        case '{':
            return tagged_value(json, memory);
        default:
            return json;
    }
}

}  // namespace datachange
