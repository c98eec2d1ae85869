#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "target/target.hpp"

namespace datachange {

using Clock = std::chrono::steady_clock;

/// What may hold a run back; the names are gh-ost's.
struct ThrottleOptions {
    std::uint64_t max_rows_per_second = 0;  ///< 0: no limit
    std::chrono::milliseconds sleep{0};     ///< after each batch
    std::optional<std::chrono::milliseconds> max_lag;
    std::string flag_file;  ///< holds the run back as long as it is there; "": none
    std::string
        query;  ///< one SELECT; more than 0 in the first row's first column holds the run back; "": none
};

/// What throttling says after a batch.
struct ThrottleDecision {
    std::chrono::milliseconds wait{0};  ///< how long to wait before asking again, at most 1 s; zero: go on
    std::string reason;                 ///< for a person, "" where the run may go on
};

/// Says between batches whether the next one may start. Time is an argument.
class Throttle {
public:
    explicit Throttle(ThrottleOptions options);

    /// Overrules the option while the run goes on; nullopt: back to the option's, 0: no limit. Pacing begins
    /// anew if that changes the rate.
    void set_rate(std::optional<std::uint64_t> max_rows_per_second);

    /// A batch was committed: its rows, and when it ended.
    void batch_done(std::uint64_t rows, Clock::time_point now);

    /// Asked before each batch, and again after each wait. No transaction may be open; the target is asked
    /// for lag and query.
    ///
    /// @throws Error (usage) where the query fails or gives no number, or the lag cannot be seen.
    /// DatabaseError as it came where asking again may help: the connection was lost, or its class is
    /// transient or serialization.
    ThrottleDecision decide(Target& target, Clock::time_point now);

private:
    std::string flag_file_reason() const;
    std::string query_reason(Target& target) const;
    std::string lag_reason(Target& target) const;
    ThrottleDecision pace(Clock::time_point now);
    std::uint64_t rate() const { return m_rate.value_or(m_options.max_rows_per_second); }

    ThrottleOptions m_options;
    std::optional<std::uint64_t> m_rate;
    /// When the rows done so far are paid for at the rate; nothing before pacing began.
    std::optional<Clock::time_point> m_paid;
    std::optional<Clock::time_point> m_asleep_until;
};

}  // namespace datachange
