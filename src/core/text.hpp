#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace datachange {

std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
/// Splits at a character; n separators give n + 1 parts, not trimmed.
std::vector<std::string> split(std::string_view text, char separator);
/// Breaks a line at spaces, into lines of at most so many bytes where the words allow it.
std::string wrapped(std::string_view text, std::size_t width);

/// The candidate that a mistyped word most likely meant, or "" if none is near.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);
/// "did you mean X?", or the fallback if nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string_view fallback = {});

/// A number with thousands separated: 1,234,567.
std::string with_thousands(std::uint64_t number);
/// "1 row", "2 rows", "1,234 rows".
std::string counted(std::uint64_t number, std::string_view noun);

}  // namespace datachange
