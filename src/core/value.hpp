#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace datachange {

/// What a captured value is. PostgreSQL values are text in the type's output form, save boolean ("t", "f")
/// and integers of up to 64 bits; SQLite values go by storage class. A digest stands for a value that is not
/// told (core/redaction.hpp).
enum class ValueKind : std::uint8_t { null, boolean, integer, real, text, blob, digest };

/// A value that somebody else owns. `bytes` is the exact form: decimal digits for an integer; for a real the
/// shortest of C's %.17g with a point ("0.5" as "0.5", 1e300 as "1.0e+300", "inf", "-inf"); raw bytes for a
/// blob; 64 hexadecimal digits for a digest.
struct ValueView {
    ValueKind kind = ValueKind::null;
    std::string_view bytes;

    bool is_null() const { return kind == ValueKind::null; }
    bool operator==(const ValueView&) const = default;
};

/// A value of its own.
struct Value {
    ValueKind kind = ValueKind::null;
    std::string bytes;

    Value() = default;
    Value(ValueKind kind_, std::string bytes_) : kind(kind_), bytes(std::move(bytes_)) {}
    explicit Value(ValueView view) : kind(view.kind), bytes(view.bytes) {}

    static Value text(std::string bytes) { return {ValueKind::text, std::move(bytes)}; }
    static Value integer(std::int64_t number) { return {ValueKind::integer, std::to_string(number)}; }
    /// NULL for an empty string; for optional text columns of the journal and the ledger.
    static Value text_or_null(std::string bytes) { return bytes.empty() ? Value{} : text(std::move(bytes)); }

    ValueView view() const { return {kind, bytes}; }
    bool is_null() const { return kind == ValueKind::null; }
    bool operator==(const Value&) const = default;
};

/// The exact form of a SQLite real: 17 significant digits, always with a point or an exponent after one
/// ("3.0", "0.10000000000000001", "1.0e+300"), or "inf", "-inf".
std::string real_text(double number);

/// True if the bytes are well-formed UTF-8 without NUL: what can be written as a plain JSON string.
bool is_plain_text(std::string_view bytes);

/// Lower-case hexadecimal digits, two a byte.
std::string to_hex(std::string_view bytes);
/// The reverse of to_hex. @throws std::invalid_argument for anything but pairs of hexadecimal digits.
std::string from_hex(std::string_view digits);

}  // namespace datachange
