#include "core/clock.hpp"

#include <cstdio>
#include <ctime>

#include <fmt/format.h>

namespace datachange {

namespace {

std::tm utc_parts(std::chrono::system_clock::time_point moment) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(moment);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return parts;
}

}  // namespace

std::string utc_text(std::chrono::system_clock::time_point moment) {
    // whole milliseconds first: to_time_t may round, and then second and fraction would not belong together
    const auto floored = std::chrono::floor<std::chrono::milliseconds>(moment);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(floored);
    const std::tm parts = utc_parts(seconds);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, (floored - seconds).count());
}

std::optional<double> parse_utc(const std::string& text) {
    std::tm parts{};
    double seconds = 0;
    if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%lf", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                    &parts.tm_hour, &parts.tm_min, &seconds) != 6) {
        return std::nullopt;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    return static_cast<double>(timegm(&parts)) + seconds;
}

std::string utc_now() {
    return utc_text(std::chrono::system_clock::now());
}

std::string version_now() {
    const std::tm parts = utc_parts(std::chrono::system_clock::now());
    return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace datachange
