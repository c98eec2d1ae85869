#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace datachange {

/// The elements of a JSON array as they stand in its text, without decoding or copying them: "[1,\"a\",[2]]"
/// gives 1, "a" (with quotes) and [2]. The text is one that the ledger stored: no white space between
/// elements.
/// @param cells is emptied first; its elements live as long as the text.
/// @throws std::invalid_argument if the text is no array.
void split_json_array(std::string_view json, std::vector<std::string_view>& cells);

/// Appends a value in the ledger's JSON as a CSV field:
///   null             nothing
///   true, false      t, f
///   numbers          their digits; {"$real":"inf"}: inf
///   strings          their text, quoted if it is empty, or holds a comma, a quote, CR or LF, or begins or
///   ends with a
///                    space; quotes are doubled
///   $blob and $text  \x and hexadecimal digits
void append_csv_value(std::string& out, std::string_view json);

/// Appends a text as a CSV field, quoted where needed.
void append_csv_text(std::string& out, std::string_view text);

}  // namespace datachange
