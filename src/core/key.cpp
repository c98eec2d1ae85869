#include "core/key.hpp"

#include "core/value_json.hpp"

namespace datachange {

namespace {

void append_fingerprint(std::string& out, ValueView value) {
    out += static_cast<char>('0' + static_cast<int>(value.kind));
    out += std::to_string(value.bytes.size());
    out += ':';
    out += value.bytes;
}

}  // namespace

std::string key_text(ValueView value) {
    if (value.kind == ValueKind::blob) return "x'" + to_hex(value.bytes) + "'";
    if (value.kind == ValueKind::text && !is_plain_text(value.bytes)) {
        return "{\"$text\":\"" + to_hex(value.bytes) + "\"}";
    }
    return std::string{value.bytes};
}

std::string key_text(const Key& key) {
    if (key.size() == 1) return key_text(key.front().view());
    std::vector<std::string> texts;
    for (const Value& value : key) texts.push_back(key_text(value.view()));
    return json_array_of_strings(texts);
}

std::string key_fingerprint(const std::vector<ValueView>& key) {
    std::string out;
    for (const ValueView& value : key) append_fingerprint(out, value);
    return out;
}

std::string key_fingerprint(const Key& key) {
    std::string out;
    for (const Value& value : key) append_fingerprint(out, value.view());
    return out;
}

}  // namespace datachange
