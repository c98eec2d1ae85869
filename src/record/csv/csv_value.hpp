#pragma once

#include <string>
#include <string_view>

namespace datachange {

/// A value in the ledger's JSON as a CSV field:
///   null             nothing
///   true, false      t, f
///   numbers          their digits; {"$real":"inf"}: inf
///   strings          their text, quoted if it is empty, or holds a comma, a quote, CR or LF, or begins or
///   ends with a
///                    space; quotes are doubled
///   $blob and $text  \x and hexadecimal digits
///   $hmac            hmac: and hexadecimal digits
/// @param memory for a field that does not stand in the JSON as it is
/// @return lives as long as both
std::string_view csv_value(std::string_view json, std::string& memory);

/// A text as a CSV field, quoted where needed.
std::string_view csv_text(std::string_view text, std::string& memory);

}  // namespace datachange
