#include "run/throttle.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "core/text.hpp"
#include "run/error_class.hpp"
#include "target/sql_text.hpp"

namespace datachange {

namespace {

using namespace std::chrono_literals;

// requests to the run are looked at between two waits
constexpr std::chrono::milliseconds longest_wait = 1s;
// after a pause or slow batches, this much may be caught up with at once
constexpr Clock::duration most_credit = 1s;

constexpr const char* query_hint =
    "--throttle-query takes one SELECT whose first column is a number; more than 0 holds the run back.";

/// "0.5 s"
std::string seconds_text(std::chrono::milliseconds time) {
    return fmt::format("{:g} s", static_cast<double>(time.count()) / 1000.0);
}

ThrottleDecision wait_until(Clock::time_point moment, Clock::time_point now, std::string reason) {
    if (moment <= now) return {};
    // rounded up: a wait of 0 would mean to go on
    return {std::min(longest_wait, std::chrono::ceil<std::chrono::milliseconds>(moment - now)),
            std::move(reason)};
}

[[noreturn]] void refuse_query(const std::string& message) {
    throw Error(ExitCode::usage, message, query_hint).at("--throttle-query");
}

/// The first row. Within a SELECT of our own it cannot be anything but a query: no COMMIT, no SET.
RowSet first_row(Target& target, const std::string& query) {
    std::string_view bare = query;
    for (std::size_t end = bare.rfind(';');
         end != std::string_view::npos && is_blank_sql(bare.substr(end), target.engine());
         end = bare.rfind(';'))
        bare = bare.substr(0, end);
    target.begin(Isolation::read_only);
    try {
        // the line break ends a comment
        RowSet rows = target.query(fmt::format("SELECT * FROM ({}\n) AS datachange_throttle LIMIT 1", bare));
        target.commit();
        return rows;
    } catch (const DatabaseError& error) {
        target.rollback();
        // a server's error of class 08 in a session that lives is about the query: a parameter without value,
        // dblink
        const ErrorClass kind = classify(error.sqlstate());
        if (target.lost() || kind == ErrorClass::transient || kind == ErrorClass::serialization) throw;
        // no DatabaseError: its class would be taken for one of the batch
        refuse_query(fmt::format("the throttle query failed ({}): {}", error.sqlstate(), error.what()));
    } catch (...) {
        target.rollback();
        throw;
    }
}

double number(ValueView value) {
    if (value.is_null()) return 0;
    if (value.kind == ValueKind::boolean) return value.bytes == "t" ? 1 : 0;
    const std::string_view text = trim(value.bytes);
    double result = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), result);
    const bool whole = failure == std::errc{} && end == text.data() + text.size();
    if (!whole || std::isnan(result) || value.kind == ValueKind::blob)
        refuse_query("the throttle query gives something that is no number");
    return result;
}

}  // namespace

Throttle::Throttle(ThrottleOptions options) : m_options(std::move(options)) {
}

void Throttle::set_rate(std::optional<std::uint64_t> max_rows_per_second) {
    const std::uint64_t before = rate();
    m_rate = max_rows_per_second;
    if (rate() != before) m_paid.reset();
}

void Throttle::batch_done(std::uint64_t rows, Clock::time_point now) {
    if (m_options.sleep > 0ms) m_asleep_until = now + m_options.sleep;
    if (rate() == 0) return;
    const std::chrono::duration<double> cost{static_cast<double>(rows) / static_cast<double>(rate())};
    m_paid = m_paid.value_or(now) + std::chrono::ceil<Clock::duration>(cost);
}

ThrottleDecision Throttle::decide(Target& target, Clock::time_point now) {
    if (rate() > 0) m_paid = std::max(m_paid.value_or(now), now - most_credit);
    if (std::string reason = flag_file_reason(); !reason.empty()) return {longest_wait, reason};
    if (std::string reason = query_reason(target); !reason.empty()) return {longest_wait, reason};
    if (std::string reason = lag_reason(target); !reason.empty()) return {longest_wait, reason};
    return pace(now);
}

ThrottleDecision Throttle::pace(Clock::time_point now) {
    if (rate() > 0) {
        ThrottleDecision decision =
            wait_until(*m_paid, now, fmt::format("at most {} rows/s", with_thousands(rate())));
        if (decision.wait > 0ms) return decision;
    }
    if (!m_asleep_until) return {};
    return wait_until(*m_asleep_until, now,
                      fmt::format("sleep {} between batches", seconds_text(m_options.sleep)));
}

/// A file that cannot be looked for may be there: then the run waits, and says why.
std::string Throttle::flag_file_reason() const {
    if (m_options.flag_file.empty()) return "";
    std::error_code failure;
    const auto status = std::filesystem::status(m_options.flag_file, failure);
    if (std::filesystem::exists(status)) return fmt::format("the file {} is there", m_options.flag_file);
    if (status.type() == std::filesystem::file_type::not_found) return "";
    return fmt::format("the file {} cannot be looked for: {}", m_options.flag_file, failure.message());
}

std::string Throttle::query_reason(Target& target) const {
    if (m_options.query.empty()) return "";
    const RowSet rows = first_row(target, m_options.query);
    if (rows.empty()) return "";
    const ValueView value = rows.at(0, 0);
    if (number(value) <= 0) return "";
    const bool truth = value.kind == ValueKind::boolean;
    return fmt::format("the throttle query returns {}", truth ? "true" : trim(value.bytes));
}

std::string Throttle::lag_reason(Target& target) const {
    if (!m_options.max_lag) return "";
    const std::optional<double> lag = target.replication_lag();
    if (!lag || *lag <= static_cast<double>(m_options.max_lag->count()) / 1000.0) return "";
    return fmt::format("replica lags {:.1f} s (at most {})", *lag, seconds_text(*m_options.max_lag));
}

}  // namespace datachange
