#include "core/duration.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace datachange {

std::optional<std::chrono::milliseconds> parse_duration(const std::string& text) {
    static const std::map<std::string, double> units{
        {"ms", 1}, {"s", 1'000}, {"", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    constexpr double longest = 365.0 * 24 * 3'600'000;
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto unit = units.find(text.substr(digits));
    double number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + digits, number);
    const bool parsed = digits > 0 && failure == std::errc{} && end == text.data() + digits;
    if (!parsed || unit == units.end() || number * unit->second > longest) return std::nullopt;
    return std::chrono::milliseconds{static_cast<std::int64_t>(number * unit->second)};
}

}  // namespace datachange
