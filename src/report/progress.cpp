#include "report/progress.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "core/text.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

std::string clock_text(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::max(0.0, seconds) + 0.5);
    if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

double share(const ProgressState& state) {
    if (state.total == 0) return 0;
    return std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
}

/// What a line begins with where there are several targets.
std::string prefix(const std::string& target) {
    return target.empty() ? "" : target + ": ";
}

std::string rows_text(const ProgressState& state) {
    if (!state.batched) return fmt::format("{} in one transaction", counted(state.total, "row"));
    return fmt::format("{} of {}", with_thousands(state.done), counted(state.total, "row"));
}

std::string rate_text(const ProgressState& state) {
    return fmt::format("{} rows/s", with_thousands(static_cast<std::uint64_t>(state.rate())));
}

std::string eta_text(const ProgressState& state) {
    return state.eta_seconds() < 0 ? "ETA -" : "ETA " + clock_text(state.eta_seconds());
}

std::string elapsed_text(const ProgressState& state) {
    return clock_text(static_cast<double>(state.elapsed.count()) / 1000.0);
}

std::string painted_bar(double part, std::size_t width, bool color) {
    const auto filled = static_cast<std::size_t>(part * static_cast<double>(width));
    const std::string done(filled, '#');
    const std::string rest(width - filled, '.');
    return color ? "[\x1b[32m" + done + "\x1b[0m" + rest + "]" : "[" + done + rest + "]";
}

class ShownProgress : public Listener {
public:
    ShownProgress(ProgressStyle style, bool color, std::function<void(const std::string&)> write,
                  std::function<std::size_t()> width, const std::string& target)
        : m_style(style), m_color(color), m_write(std::move(write)), m_width(std::move(width)) {
        m_state.started = false;
        m_state.target = target;
    }

    ~ShownProgress() override { ShownProgress::run_ended(); }

    void run_started(const std::string& title, bool dry_run) override {
        const std::lock_guard lock(m_mutex);
        ProgressState fresh;  // the old one is of the run before, where several follow each other
        fresh.target = m_state.target;
        m_state = std::move(fresh);
        m_state.started = false;
        m_state.title = title + (dry_run ? " (dry run)" : "");
        if (m_style != ProgressStyle::none)
            m_ticker = std::jthread([this](const std::stop_token& stop) { tick(stop); });
    }

    void step_started(int step, const std::string& name, std::uint64_t planned_rows, bool batched) override {
        const std::lock_guard lock(m_mutex);
        m_state.step = name.empty() ? "" : fmt::format("{} {}", step, name);
        m_state.done = 0;
        m_state.resumed = 0;
        m_state.batches = 0;
        m_state.total = planned_rows;
        m_state.batched = batched;
        m_state.started = true;
        m_started = Clock::now();
        m_running = true;
    }

    void step_resumed(int, std::uint64_t done_rows, std::uint64_t done_batches) override {
        const std::lock_guard lock(m_mutex);
        m_state.done = done_rows;
        m_state.resumed = done_rows;
        m_state.batches = done_batches;
        m_started = Clock::now();
    }

    void throttled(const std::string& reason) override {
        const std::lock_guard lock(m_mutex);
        m_state.throttled = reason;
        tell_if_held();
    }

    void waiting(const std::string& what) override {
        const std::lock_guard lock(m_mutex);
        m_state.waiting = what;
        tell_if_held();
    }

    void batch_done(int, const std::string&, std::uint64_t rows) override {
        const std::lock_guard lock(m_mutex);
        m_state.done += rows;
        ++m_state.batches;
    }

    void warning(const std::string& text) override {
        const std::lock_guard lock(m_mutex);
        clear_bar();
        m_write(warning_text(m_style, m_state.target, text));
    }

    void run_ended() override {
        m_ticker = {};  // joins
        const std::lock_guard lock(m_mutex);
        if (m_style == ProgressStyle::json && m_running) paint();
        clear_bar();
        m_running = false;
    }

private:
    static constexpr auto tick_length = 250ms;

    std::chrono::milliseconds interval() const {
        switch (m_style) {
            case ProgressStyle::bar:
                return 250ms;
            case ProgressStyle::json:
                return 1000ms;
            default:
                return 5000ms;
        }
    }

    void tick(const std::stop_token& stop) {
        std::unique_lock lock(m_mutex);
        m_last = Clock::now();
        while (!stop.stop_requested()) {
            m_wake.wait_for(lock, stop, tick_length, [] { return false; });
            if (stop.stop_requested() || Clock::now() - m_last < interval()) continue;
            m_last = Clock::now();
            if (has_news()) paint();
        }
    }

    /// A run may have to wait before its first step: for a COMMIT in flight of the one that it goes on with.
    bool has_news() const { return m_running || (!m_state.started && !m_state.held().empty()); }

    void tell_if_held() {
        const Clock::time_point now = Clock::now();
        if (m_style != ProgressStyle::lines || !m_held_news.due(m_state, now)) return;
        m_last = now;
        paint();
    }

    void paint() {
        if (m_state.started)
            m_state.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - m_started);
        if (m_style == ProgressStyle::bar) {
            m_write("\r\x1b[K" + progress_bar(m_state, m_width(), m_color));
            m_bar_shown = true;
        } else if (m_style == ProgressStyle::lines) {
            m_write(progress_line(m_state) + "\n");
        } else if (m_style == ProgressStyle::json) {
            m_write(progress_json(m_state) + "\n");
        }
    }

    void clear_bar() {
        if (m_bar_shown) m_write("\r\x1b[K");
        m_bar_shown = false;
    }

    const ProgressStyle m_style;
    const bool m_color;
    const std::function<void(const std::string&)> m_write;
    const std::function<std::size_t()> m_width;
    std::mutex m_mutex;
    std::condition_variable_any m_wake;
    ProgressState m_state;
    HeldNews m_held_news;
    Clock::time_point m_started;
    Clock::time_point m_last;  ///< painted
    bool m_running = false;
    bool m_bar_shown = false;
    std::jthread m_ticker;  // last: it uses all of the above
};

}  // namespace

double ProgressState::rate() const {
    if (elapsed.count() == 0) return 0;
    return static_cast<double>(done - std::min(resumed, done)) * 1000.0 /
           static_cast<double>(elapsed.count());
}

double ProgressState::eta_seconds() const {
    if (rate() <= 0) return -1;
    return total > done ? static_cast<double>(total - done) / rate() : 0;
}

std::string ProgressState::held() const {
    if (!waiting.empty()) return printable(waiting);
    return throttled.empty() ? "" : "throttled: " + printable(throttled);
}

bool HeldNews::due(const ProgressState& state, std::chrono::steady_clock::time_point now) {
    std::string kind = state.held();
    std::erase_if(kind, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ','; });
    const bool news = !kind.empty() && kind != m_kind;
    m_kind = std::move(kind);
    if (!news || (m_told && now - *m_told < 5s)) return false;
    m_told = now;
    return true;
}

std::string progress_bar(const ProgressState& state, std::size_t width, bool color) {
    if (!state.started) return fit(state.title + ": " + state.held(), width > 1 ? width - 1 : 1);
    const std::string step = state.step.empty() ? "" : state.step + "  ";
    const std::string held = state.held();
    std::vector<std::string> parts;
    if (state.batched) {
        parts = {fmt::format("{:3} %", percent(state)), rows_text(state), rate_text(state)};
        parts.push_back(held.empty() ? eta_text(state) : held);
    } else {
        parts = {rows_text(state), elapsed_text(state)};
        if (!held.empty()) parts.push_back(held);
    }
    constexpr std::size_t shortest_bar = 12;
    constexpr std::size_t longest_bar = 40;
    std::string text = join(parts, "  ");
    // on a narrow terminal the least important goes first
    const std::ptrdiff_t kept = held.empty() ? 0 : 1;
    while (std::ssize(parts) > 1 + kept && display_width(text) + shortest_bar > width) {
        parts.erase(parts.end() - 1 - kept);
        text = join(parts, "  ");
    }
    const std::size_t used = display_width(step) + display_width(text) + 4;
    if (!state.batched || used + 3 > width) return fit(step + text, width > 1 ? width - 1 : 1);
    const std::size_t bar = std::min(longest_bar, width - used - 1);
    return step + painted_bar(share(state), bar, color) + " " + text;
}

std::string progress_line(const ProgressState& state) {
    const std::string title = prefix(state.target) + state.title;
    if (!state.started) return title + ": " + state.held();
    const std::string step = state.step.empty() ? "" : " step " + state.step;
    std::vector<std::string> parts;
    if (state.batched) {
        parts = {fmt::format("{} ({} %)", rows_text(state), percent(state)), counted(state.batches, "batch"),
                 rate_text(state), eta_text(state)};
    } else {
        parts = {rows_text(state), elapsed_text(state) + " so far"};
    }
    if (const std::string held = state.held(); !held.empty()) parts.push_back(held);
    return title + step + ": " + join(parts, ", ");
}

std::string progress_json(const ProgressState& state) {
    JsonObject object;
    object.add("event", "progress");
    if (!state.target.empty()) object.add("target", state.target);
    object.add("title", state.title).add_or_null("step", state.step);
    object.add("rows", state.done).add("total", state.total).add("batches", state.batches);
    object.add("rate", static_cast<std::uint64_t>(state.rate()));
    object.raw("eta_s", state.eta_seconds() < 0 ? "null" : fmt::format("{:.1f}", state.eta_seconds()));
    object.add("elapsed_ms", static_cast<std::int64_t>(state.elapsed.count()));
    object.add_or_null("throttled", state.throttled).add_or_null("waiting", state.waiting);
    return object.text();
}

std::unique_ptr<Listener> show_progress(ProgressStyle style, bool color,
                                        std::function<void(const std::string&)> write,
                                        std::function<std::size_t()> width, const std::string& target) {
    return std::make_unique<ShownProgress>(style, color, std::move(write), std::move(width), target);
}

std::string warning_text(ProgressStyle style, const std::string& target, const std::string& text) {
    if (style != ProgressStyle::json) return prefix(target) + "warning: " + text + "\n";
    JsonObject object;
    object.add("event", "warning");
    if (!target.empty()) object.add("target", target);
    return object.add("text", text).text() + "\n";
}

/// 100 means all; 57 of 100 are no 56 for being a fraction in binary.
int percent(const ProgressState& state) {
    return static_cast<int>(share(state) * 100 + 1e-9);
}

}  // namespace datachange
