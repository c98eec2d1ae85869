#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "target/postgres/value_text.hpp"

namespace datachange::postgres {

namespace {

/// Takes numbers and signs off the front of a text; nothing more is read once something did not fit.
class Scanner {
public:
    explicit Scanner(std::string_view text) : m_rest(text) {}

    std::int64_t number(std::size_t least_digits) {
        std::size_t digits = 0;
        std::int64_t value = 0;
        while (digits < m_rest.size() && digits < 9 && m_rest[digits] >= '0' && m_rest[digits] <= '9') {
            value = value * 10 + (m_rest[digits++] - '0');
        }
        m_good = m_good && digits >= least_digits;
        m_rest.remove_prefix(digits);
        return value;
    }

    bool take(std::string_view sign) {
        if (!m_good || !m_rest.starts_with(sign)) return false;
        m_rest.remove_prefix(sign.size());
        return true;
    }

    void expect(std::string_view sign) { m_good = take(sign); }

    std::string_view fraction() {
        if (!m_good || !m_rest.starts_with('.')) return {};
        const std::string_view text = m_rest.substr(0, m_rest.find_first_not_of("0123456789", 1));
        m_rest.remove_prefix(text.size());
        return text;
    }

    bool good() const { return m_good; }
    bool at_end() const { return m_good && m_rest.empty(); }

private:
    std::string_view m_rest;
    bool m_good = true;
};

/// Days since 1970-01-01 in the proleptic Gregorian calendar, and back; year 0 is 1 BC.
/// After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct Date {
    std::int64_t year, month, day;
};

Date civil_from_days(std::int64_t days) {
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const std::int64_t day_of_era = days - era * 146097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
    const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
            day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

/// Seconds east of Greenwich: "+02", "+05:30", "-00:25:21".
std::optional<std::int64_t> read_offset(Scanner& scanner) {
    const bool west = scanner.take("-");
    if (!west) scanner.expect("+");
    std::int64_t seconds = scanner.number(2) * 3600;
    if (scanner.take(":")) seconds += scanner.number(2) * 60;
    if (scanner.take(":")) seconds += scanner.number(2);
    return scanner.good() ? std::optional{west ? -seconds : seconds} : std::nullopt;
}

}  // namespace

std::string utc_timestamp(std::string_view text) {
    Scanner scanner{text};
    std::int64_t year = scanner.number(4);
    scanner.expect("-");
    const std::int64_t month = scanner.number(2);
    scanner.expect("-");
    const std::int64_t day = scanner.number(2);
    scanner.expect(" ");
    const std::int64_t hour = scanner.number(2);
    scanner.expect(":");
    const std::int64_t minute = scanner.number(2);
    scanner.expect(":");
    const std::int64_t second = scanner.number(2);
    const std::string_view fraction = scanner.fraction();
    const std::optional<std::int64_t> offset = read_offset(scanner);
    if (scanner.take(" BC")) year = 1 - year;
    if (!offset || !scanner.at_end()) return std::string{text};
    if (*offset == 0) return std::string{text};

    constexpr std::int64_t day_length = 86400;
    const std::int64_t moment =
        days_from_civil(year, month, day) * day_length + hour * 3600 + minute * 60 + second - *offset;
    const std::int64_t days = (moment >= 0 ? moment : moment - (day_length - 1)) / day_length;
    const std::int64_t rest = moment - days * day_length;
    const Date date = civil_from_days(days);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}+00{}",
                       date.year > 0 ? date.year : 1 - date.year, date.month, date.day, rest / 3600,
                       rest / 60 % 60, rest % 60, fraction, date.year > 0 ? "" : " BC");
}

}  // namespace datachange::postgres
