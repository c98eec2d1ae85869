#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace datachange {

/// Writes a JSON object field by field, in order. Made for values that must not be re-printed: raw() takes
/// JSON as it is.
class JsonObject {
public:
    JsonObject& add(std::string_view name, std::string_view text);
    JsonObject& add(std::string_view name, const char* text) { return add(name, std::string_view{text}); }
    JsonObject& add(std::string_view name, const std::string& text) {
        return add(name, std::string_view{text});
    }
    JsonObject& add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
    JsonObject& add(std::string_view name, std::int64_t number) { return raw(name, std::to_string(number)); }
    JsonObject& add(std::string_view name, std::uint64_t number) { return raw(name, std::to_string(number)); }
    JsonObject& add(std::string_view name, int number) { return raw(name, std::to_string(number)); }
    JsonObject& add(std::string_view name, const JsonObject& object) { return raw(name, object.text()); }
    /// null for an empty text
    JsonObject& add_or_null(std::string_view name, std::string_view text);
    /// JSON as it is; null if empty
    JsonObject& raw(std::string_view name, std::string_view json);

    std::string text() const { return "{" + m_fields + "}"; }

private:
    std::string m_fields;
};

/// [a,b,...] of JSON texts, one a line.
std::string json_list(const std::vector<std::string>& items);

}  // namespace datachange
