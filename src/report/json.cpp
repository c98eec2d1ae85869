#include "report/json.hpp"

#include "core/text.hpp"
#include "core/value_json.hpp"

namespace datachange {

JsonObject& JsonObject::add(std::string_view name, std::string_view text) {
    return raw(name, json_string(text));
}

JsonObject& JsonObject::add_or_null(std::string_view name, std::string_view text) {
    return text.empty() ? raw(name, "null") : add(name, text);
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
    if (!m_fields.empty()) m_fields += ',';
    append_json_string(m_fields, name);
    m_fields += ':';
    m_fields += json.empty() ? "null" : json;
    return *this;
}

std::string json_list(const std::vector<std::string>& items) {
    return items.empty() ? "[]" : "[\n" + join(items, ",\n") + "\n]";
}

}  // namespace datachange
