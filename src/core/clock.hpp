#pragma once

#include <chrono>
#include <string>

namespace datachange {

/// Now as ISO 8601 in UTC with milliseconds: "2026-03-01T12:00:00.000Z".
std::string utc_now();
/// The same for a given moment.
std::string utc_text(std::chrono::system_clock::time_point moment);
/// Now as a definition's version: 14 digits, UTC.
std::string version_now();

}  // namespace datachange
