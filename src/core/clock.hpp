#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace datachange {

/// Now as ISO 8601 in UTC with milliseconds: "2026-03-01T12:00:00.000Z".
std::string utc_now();
/// The same for a given moment.
std::string utc_text(std::chrono::system_clock::time_point moment);
/// Seconds since 1970 of a time as utc_text() gives it; nothing if the text is none.
std::optional<double> parse_utc(const std::string& text);
/// Now as a definition's version: 14 digits, UTC.
std::string version_now();

}  // namespace datachange
