#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/row_set.hpp"
#include "core/value.hpp"

namespace datachange {

/// Values as JSON, exactly and both ways, as documented for the ledger:
///   null                 NULL
///   true, false          boolean ("t", "f")
///   42                   integer
///   0.10000000000000001  real, always with a point; {"$real":"inf"} where JSON has no number for it
///   "text"               text that is UTF-8 without NUL
///   {"$text":"00ff"}     any other text, as hexadecimal bytes
///   {"$blob":"00ff"}     blob
///   {"$hmac":"00ff..."}  digest of a redacted value
void append_json(std::string& out, ValueView value);

/// A JSON string with quotes, only escaping what JSON requires.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

/// [v1,v2,...]: the values of one row in the order of its columns.
void append_json_array(std::string& out, const RowSet& rows, std::size_t row);
std::string json_array(const std::vector<Value>& values);
std::string json_array_of_strings(const std::vector<std::string>& values);

/// {"name":v,...} for one row.
void append_json_object(std::string& out, const RowSet& rows, std::size_t row);
/// [{"name":v,...},...] for all.
std::string json_objects(const RowSet& rows);

/// The values of an array that append_json_array wrote.
/// @throws std::invalid_argument if the text is not such an array.
std::vector<Value> parse_json_array(std::string_view json);
/// The text of a string that append_json_string wrote. @throws std::invalid_argument
std::string parse_json_string(std::string_view json);

}  // namespace datachange
