#pragma once

#include <cstddef>
#include <string_view>

namespace datachange {

/// What next_character() gives for a byte that is no part of UTF-8.
inline constexpr char32_t no_character = 0xFFFFFFFF;

/// The character at `at`, and `at` moved behind it.
char32_t next_character(std::string_view text, std::size_t& at);

/// What moves the cursor, turns the writing direction, or is not seen at all; LF and TAB among them. (Joiners
/// are not: emoji and Persian need them.) html/values.js has the same list.
bool is_hidden(char32_t code);

/// Columns that a character takes on a terminal: 0 for combining ones and those that only format, 2 for wide
/// East Asian ones and emoji.
std::size_t character_width(char32_t code);

}  // namespace datachange
