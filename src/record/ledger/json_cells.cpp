#include "record/ledger/json_cells.hpp"

#include <stdexcept>

namespace datachange {

namespace {

[[noreturn]] void fail() {
    throw std::invalid_argument("not an array of values");
}

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
        if (depth == 0 && (c == ',' || c == ']' || c == '}')) return at;
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        ++at;
    }
    fail();
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
        if (json[end] != ',') fail();
        at = end + 1;
    }
}

void split_json_object(std::string_view json,
                       std::vector<std::pair<std::string_view, std::string_view>>& fields) {
    fields.clear();
    if (json.size() < 2 || json.front() != '{' || json.back() != '}') fail();
    if (json.size() == 2) return;
    for (std::size_t at = 1;;) {
        if (json[at] != '"') fail();
        const std::size_t colon = string_end(json, at);
        if (json[colon] != ':') fail();
        const std::size_t end = value_end(json, colon + 1);
        fields.emplace_back(json.substr(at, colon - at), json.substr(colon + 1, end - colon - 1));
        if (json[end] == '}') {
            if (end + 1 != json.size()) fail();
            return;
        }
        if (json[end] != ',') fail();
        at = end + 1;
    }
}

}  // namespace datachange
