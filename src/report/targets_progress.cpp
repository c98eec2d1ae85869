#include "report/targets_progress.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

using namespace std::chrono_literals;

std::string running_text(const ProgressState& state) {
    std::string text = state.target;
    if (state.started && state.batched) text += fmt::format(" {} %", percent(state));
    if (!state.held().empty()) text += " (held)";
    return text;
}

std::string minutes(std::chrono::milliseconds elapsed) {
    const auto whole = elapsed.count() / 1000;
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string with_running(std::string text, const std::vector<ProgressState>& running, std::size_t width) {
    for (std::size_t i = 0; i < running.size(); ++i) {
        const std::string one = "  " + running_text(running[i]);
        const std::string rest = fmt::format("  and {} more", running.size() - i);
        const bool last = i + 1 == running.size();
        const std::size_t needed = display_width(text + one) + (last ? 0 : rest.size());
        if (needed > width) return display_width(text + rest) > width ? text : text + rest;
        text += one;
    }
    return text;
}

constexpr std::size_t bar_cells = 8;  // few: the names are what is looked for

std::string bar_of(std::size_t part, std::size_t whole, bool color) {
    const std::size_t filled = whole == 0 ? 0 : part * bar_cells / whole;
    const std::string done(filled, '#');
    const std::string rest(bar_cells - filled, '.');
    return color ? "[\x1b[32m" + done + "\x1b[0m" + rest + "]" : "[" + done + rest + "]";
}

std::string ended_json(const TargetOutcome& outcome, const TargetsState& state) {
    return JsonObject{}
               .add("event", "target")
               .add("target", outcome.target)
               .add("state", outcome.state)
               .add("exit_status", outcome.exit_status())
               .add("rows_changed", outcome.rows.changed())
               .add_or_null("error", outcome.error ? outcome.error->what() : "")
               .add("ended", static_cast<std::uint64_t>(state.ended))
               .add("targets", static_cast<std::uint64_t>(state.targets))
               .text() +
           "\n";
}

}  // namespace

std::string targets_bar(const TargetsState& state, std::size_t width, bool color) {
    std::string text = fmt::format("{} of {}", state.ended, counted(state.targets, "target"));
    if (state.failed > 0) text += fmt::format("  {} failed", state.failed);
    text += "  " + minutes(state.elapsed);
    constexpr std::size_t bar_width = bar_cells + 4;  // with brackets and spaces
    const std::size_t most = width > 1 ? width - 1 : 1;
    if (display_width(text) + bar_width > most) return fit(text, most);
    return bar_of(state.ended, state.targets, color) + "  " +
           with_running(std::move(text), state.running, most - bar_width);
}

std::string target_line(const TargetOutcome& outcome, const TargetsState& state) {
    const std::string place = fmt::format(" ({} of {})", state.ended, state.targets);
    if (outcome.error) {
        const std::string what = outcome.error->what();
        return printable(fmt::format("{}: {}: {}", outcome.target, outcome.state,
                                     what.substr(0, what.find('\n')))) +
               place + "\n";
    }
    const std::string rows = outcome.state == "done" ? ", " + counted(outcome.rows.changed(), "row") : "";
    return fmt::format("{}: {}{}{}\n", outcome.target, outcome.state, rows, place);
}

/// Keeps what one target tells for the line that shows all of them.
class TargetsProgress::Listening : public Listener {
public:
    Listening(TargetsProgress& progress, std::string target)
        : m_progress(progress), m_target(std::move(target)) {}

    void step_started(int, const std::string&, std::uint64_t planned_rows, bool batched) override {
        change([&](ProgressState& state) {
            state.done = state.batches = 0;
            state.total = planned_rows;
            state.batched = batched;
            state.started = true;
        });
    }
    void step_resumed(int, std::uint64_t done_rows, std::uint64_t) override {
        change([&](ProgressState& state) { state.done = done_rows; });
    }
    void batch_done(int, const std::string&, std::uint64_t rows) override {
        change([&](ProgressState& state) { state.done += rows; });
    }
    void throttled(const std::string& reason) override {
        change([&](ProgressState& state) { state.throttled = reason; });
    }
    void waiting(const std::string& what) override {
        change([&](ProgressState& state) { state.waiting = what; });
    }
    void warning(const std::string& text) override {
        const std::lock_guard lock(m_progress.m_mutex);
        m_progress.print(warning_text(ProgressStyle::bar, m_target, text));
    }

private:
    template <typename Change>
    void change(Change&& change) {
        const std::lock_guard lock(m_progress.m_mutex);
        change(m_progress.m_running[m_target]);
    }

    TargetsProgress& m_progress;
    std::string m_target;
};

TargetsProgress::TargetsProgress(TargetsView view, std::size_t targets) : m_view(std::move(view)) {
    m_state.targets = targets;
    if (shows_bar()) m_ticker = std::jthread([this](const std::stop_token& stop) { tick(stop); });
}

TargetsProgress::~TargetsProgress() {
    m_ticker = {};  // joins
    clear_bar();
}

std::unique_ptr<Listener> TargetsProgress::begin(const std::string& target) {
    {
        const std::lock_guard lock(m_mutex);
        ProgressState& state = m_running[target];
        state.target = target;
        state.started = false;
    }
    if (m_view.quiet) return std::make_unique<Listener>();
    if (shows_bar()) return std::make_unique<Listening>(*this, target);
    return show_progress(
        m_view.style, false, [this](const std::string& text) { write(text); }, m_view.width, target);
}

void TargetsProgress::end(const TargetOutcome& outcome) {
    const std::lock_guard lock(m_mutex);
    m_running.erase(outcome.target);
    ++m_state.ended;
    if (outcome.error) ++m_state.failed;
    const bool shown = m_view.style == ProgressStyle::lines || m_view.style == ProgressStyle::json;
    if (!outcome.error && (m_view.quiet || !shown)) return;
    print(m_view.style == ProgressStyle::json && !m_view.quiet ? ended_json(outcome, m_state)
                                                               : target_line(outcome, m_state));
}

void TargetsProgress::tick(const std::stop_token& stop) {
    std::unique_lock lock(m_mutex);
    while (!stop.stop_requested()) {
        m_wake.wait_for(lock, stop, 250ms, [] { return false; });
        if (!stop.stop_requested()) paint();
    }
}

void TargetsProgress::write(const std::string& text) {
    const std::lock_guard lock(m_mutex);
    m_view.write(text);
}

void TargetsProgress::print(const std::string& line) {
    clear_bar();
    m_view.write(line);
}

void TargetsProgress::paint() {
    m_view.write("\r\x1b[K" + targets_bar(state(), m_view.width(), m_view.color));
    m_bar_shown = true;
}

void TargetsProgress::clear_bar() {
    if (m_bar_shown) m_view.write("\r\x1b[K");
    m_bar_shown = false;
}

TargetsState TargetsProgress::state() const {
    TargetsState state = m_state;
    for (const auto& [target, running] : m_running) state.running.push_back(running);
    state.elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - m_start);
    return state;
}

}  // namespace datachange
