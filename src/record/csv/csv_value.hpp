#pragma once

#include <string>
#include <string_view>

namespace datachange {

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
