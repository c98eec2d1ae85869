#include "report/value_text.hpp"

#include <fmt/format.h>

#include "core/value_json.hpp"

namespace datachange {

namespace {

/// {"$blob":"00ff"}
std::string tagged_text(std::string_view json) {
    constexpr std::size_t kind = 3;  // behind {"$
    const std::size_t colon = json.find(':');
    return fmt::format("{} {}", json.substr(kind, colon - 1 - kind),
                       json.substr(colon + 2, json.size() - colon - 4));
}

Cell value_cell(std::string_view json, Paint paint) {
    if (json.empty()) return {};
    return {value_text(json), json == "null" ? Paint::faint : paint};
}

}  // namespace

std::string value_text(std::string_view json) {
    if (json == "null") return "NULL";
    if (json.starts_with('"')) return fmt::format("\"{}\"", parse_json_string(json));
    if (json.starts_with('{')) return tagged_text(json);
    return std::string{json};
}

Cell before_cell(std::string_view json) {
    return value_cell(json, Paint::red);
}

Cell after_cell(std::string_view json) {
    return value_cell(json, Paint::green);
}

Paint action_paint(std::string_view action) {
    if (action == "inserted") return Paint::green;
    if (action == "deleted") return Paint::red;
    return action == "updated" ? Paint::yellow : Paint::faint;
}

}  // namespace datachange
