#pragma once

#include <cstddef>

namespace datachange {

/// Columns that a character takes on a terminal: 0 for combining ones and those that only format, 2 for wide
/// East Asian ones and emoji.
std::size_t character_width(char32_t code);

}  // namespace datachange
