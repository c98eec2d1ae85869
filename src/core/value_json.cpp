#include "core/value_json.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

namespace datachange {

namespace {

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default: {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
            out += escape.data();
        }
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t plain = 0;  // most texts have nothing to escape, and are copied as a whole
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) continue;
        out.append(text, plain, at - plain);
        append_escaped(out, c);
        plain = at + 1;
    }
    out.append(text, plain);
    out += '"';
}

std::string json_string(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

namespace {

void append_wrapped(std::string& out, std::string_view tag, std::string_view text) {
    out += "{\"";
    out += tag;
    out += "\":\"";
    out += text;
    out += "\"}";
}

}  // namespace

void append_json(std::string& out, ValueView value) {
    switch (value.kind) {
        case ValueKind::null:
            out += "null";
            return;
        case ValueKind::boolean:
            out += value.bytes == "t" ? "true" : "false";
            return;
        case ValueKind::integer:
            out += value.bytes;
            return;
        case ValueKind::real:
            if (value.bytes.find('n') != std::string_view::npos) {  // inf, -inf, nan
                append_wrapped(out, "$real", value.bytes);
            } else {
                out += value.bytes;
            }
            return;
        case ValueKind::text:
            if (is_plain_text(value.bytes)) {
                append_json_string(out, value.bytes);
            } else {
                append_wrapped(out, "$text", to_hex(value.bytes));
            }
            return;
        case ValueKind::blob:
            append_wrapped(out, "$blob", to_hex(value.bytes));
            return;
        case ValueKind::digest:
            append_wrapped(out, "$hmac", value.bytes);
            return;
    }
}

void append_json_array(std::string& out, const RowSet& rows, std::size_t row) {
    out += '[';
    for (std::size_t column = 0; column < rows.width(); ++column) {
        if (column > 0) out += ',';
        append_json(out, rows.at(row, column));
    }
    out += ']';
}

std::string json_array(const std::vector<Value>& values) {
    std::string out = "[";
    for (const Value& value : values) {
        if (&value != &values.front()) out += ',';
        append_json(out, value.view());
    }
    return out + "]";
}

std::string json_array_of_strings(const std::vector<std::string>& values) {
    std::string out = "[";
    for (const std::string& value : values) {
        if (&value != &values.front()) out += ',';
        append_json_string(out, value);
    }
    return out + "]";
}

void append_json_object(std::string& out, const RowSet& rows, std::size_t row) {
    out += '{';
    for (std::size_t column = 0; column < rows.width(); ++column) {
        if (column > 0) out += ',';
        append_json_string(out, rows.columns()[column].name);
        out += ':';
        append_json(out, rows.at(row, column));
    }
    out += '}';
}

std::string json_objects(const RowSet& rows) {
    std::string out = "[";
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (row > 0) out += ',';
        append_json_object(out, rows, row);
    }
    return out + "]";
}

namespace {

/// Reads what append_json_array writes; other JSON is refused.
class ArrayReader {
public:
    explicit ArrayReader(std::string_view json) : m_rest(json) {}

    std::string only_string() {
        std::string text = string();
        if (!m_rest.empty()) fail();
        return text;
    }

    std::vector<Value> read() {
        std::vector<Value> values;
        expect('[');
        if (take(']')) return finish(std::move(values));
        do values.push_back(value());
        while (take(','));
        expect(']');
        return finish(std::move(values));
    }

private:
    std::vector<Value> finish(std::vector<Value> values) {
        if (!m_rest.empty()) fail();
        return values;
    }

    [[noreturn]] static void fail() { throw std::invalid_argument("not an array of values"); }

    bool take(char c) {
        if (m_rest.empty() || m_rest.front() != c) return false;
        m_rest.remove_prefix(1);
        return true;
    }

    void expect(char c) {
        if (!take(c)) fail();
    }

    bool take_word(std::string_view word) {
        if (!m_rest.starts_with(word)) return false;
        m_rest.remove_prefix(word.size());
        return true;
    }

    Value value() {
        if (take_word("null")) return {};
        if (take_word("true")) return {ValueKind::boolean, "t"};
        if (take_word("false")) return {ValueKind::boolean, "f"};
        if (take_word("{\"$blob\":")) return {ValueKind::blob, from_hex(wrapped())};
        if (take_word("{\"$text\":")) return {ValueKind::text, from_hex(wrapped())};
        if (take_word("{\"$real\":")) return {ValueKind::real, wrapped()};
        if (take_word("{\"$hmac\":")) return {ValueKind::digest, wrapped()};
        if (m_rest.starts_with('"')) return {ValueKind::text, string()};
        return number();
    }

    std::string wrapped() {
        std::string text = string();
        expect('}');
        return text;
    }

    Value number() {
        const std::size_t length = std::min(m_rest.find_first_not_of("+-.0123456789eE"), m_rest.size());
        if (length == 0) fail();
        std::string digits{m_rest.substr(0, length)};
        m_rest.remove_prefix(length);
        const bool real = digits.find_first_of(".eE") != std::string::npos;
        return {real ? ValueKind::real : ValueKind::integer, std::move(digits)};
    }

    std::string string() {
        expect('"');
        std::string text;
        for (;;) {
            std::size_t plain = 0;  // a loop: find_first_of asks memchr of every character
            while (plain < m_rest.size() && m_rest[plain] != '"' && m_rest[plain] != '\\') ++plain;
            if (plain == m_rest.size()) fail();
            text += m_rest.substr(0, plain);
            const bool end = m_rest[plain] == '"';
            m_rest.remove_prefix(plain + 1);
            if (end) return text;
            escape(text);
        }
    }

    void escape(std::string& text) {
        if (m_rest.empty()) fail();
        const char c = m_rest.front();
        m_rest.remove_prefix(1);
        switch (c) {
            case '"':
            case '\\':
            case '/':
                text += c;
                return;
            case 'n':
                text += '\n';
                return;
            case 'r':
                text += '\r';
                return;
            case 't':
                text += '\t';
                return;
            case 'u': {
                if (m_rest.size() < 4) fail();
                const std::string bytes = from_hex(m_rest.substr(0, 4));
                if (bytes[0] != 0 || static_cast<unsigned char>(bytes[1]) >= 0x80) fail();  // never written
                text += bytes[1];
                m_rest.remove_prefix(4);
                return;
            }
            default:
                fail();
        }
    }

    std::string_view m_rest;
};

}  // namespace

std::string parse_json_string(std::string_view json) {
    return ArrayReader{json}.only_string();
}

std::vector<Value> parse_json_array(std::string_view json) {
    return ArrayReader{json}.read();
}

}  // namespace datachange
