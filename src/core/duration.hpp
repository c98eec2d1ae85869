#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace datachange {

/// A duration as users write it: "500ms", "5s", "2min", "1h", "7d"; a number alone is seconds. Nothing for any
/// other text, and for more than a year.
std::optional<std::chrono::milliseconds> parse_duration(const std::string& text);

}  // namespace datachange
