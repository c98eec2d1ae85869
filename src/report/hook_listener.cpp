#include "report/hook_listener.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "core/subprocess.hpp"
#include "core/text.hpp"
#include "report/characters.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

constexpr std::size_t longest_error = 2'000;     // bytes
constexpr std::size_t longest_warning = 300;     // columns
constexpr std::size_t longest_variable = 8'000;  // Linux refuses a program of which one has 128 KiB
constexpr std::size_t most_events = 100'000;     // that wait; each but two needs a person who asks for it
constexpr std::size_t kept_output = 64 << 10;
const std::vector<std::string> secrets{"DATABASE_URL", "PGPASSWORD", "DATACHANGE_REDACT_KEY"};
const std::set<std::string> numbers{"DATACHANGE_RUN", "DATACHANGE_ROWS_CHANGED", "DATACHANGE_ROWS_FAILED",
                                    "DATACHANGE_DURATION_MS", "DATACHANGE_EXIT_STATUS"};

/// Cut between characters, with an ellipsis where something is left out. Zero bytes end a variable.
std::string cut(const std::string& text, std::size_t longest) {
    const std::string whole = text.substr(0, text.find('\0'));
    if (whole.size() <= longest) return whole;
    const std::string_view ellipsis = "…";
    std::size_t end = 0;
    for (std::size_t next = 0; next < whole.size();) {
        next_character(whole, next);
        if (next > longest - ellipsis.size()) break;
        end = next;
    }
    return whole.substr(0, end) + std::string{ellipsis};
}

/// As JSON wants it: what is no UTF-8 becomes U+FFFD.
std::string valid_utf8(const std::string& text) {
    std::string valid;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        const bool character = next_character(text, at) != no_character;
        valid += character ? text.substr(begin, at - begin) : "\uFFFD";
    }
    return valid;
}

std::string value_of(const HookVariables& variables, const std::string& name) {
    const auto found = std::find_if(variables.begin(), variables.end(),
                                    [&](const auto& variable) { return variable.first == name; });
    return found == variables.end() ? "" : found->second;
}

/// One sentence for a person: "run 3 done: 20260121100500 backfill_users_name on eu-prod by anna: 106,663
/// rows changed in 1.9 s".
std::string text_of(const RunNotice& notice, const std::string& target, const std::string& operator_name) {
    const bool starts = notice.event == RunEvent::start;
    const std::string what = !starts ? notice.state : notice.resumed ? "goes on" : "started";
    const std::string run = notice.run > 0 ? std::to_string(notice.run) : notice.uuid.substr(0, 8);
    std::string text =
        fmt::format("run {} {}: {} {} on {}", run, what, notice.version, notice.name, target);
    if (!operator_name.empty()) text += " by " + operator_name;
    if (!starts) {
        text += fmt::format(": {} changed in {:.1f} s", counted(notice.rows_changed, "row"),
                            static_cast<double>(notice.duration_ms) / 1000);
        if (notice.rows_failed > 0) text += fmt::format(", {} failed", counted(notice.rows_failed, "row"));
    }
    if (!notice.error.empty()) text += ": " + notice.error.substr(0, notice.error.find('\n'));
    return text;
}

std::string existing(const std::string& folder) {
    std::error_code error;
    if (folder.empty() || !std::filesystem::is_directory(folder, error)) return {};
    const auto absolute = std::filesystem::absolute(folder, error);
    return error ? folder : absolute.string();
}

}  // namespace

HookVariables hook_variables(const RunNotice& notice, const HookVariables& more) {
    HookVariables variables{
        {"DATACHANGE_EVENT", run_event_name(notice.event)},
        {"DATACHANGE_RUN", std::to_string(notice.run)},
        {"DATACHANGE_RUN_UUID", notice.uuid},
        {"DATACHANGE_VERSION", notice.version},
        {"DATACHANGE_NAME", notice.name},
        {"DATACHANGE_TICKET", notice.ticket},
        {"DATACHANGE_REVERSES", notice.reverses},
        {"DATACHANGE_RESUMED", notice.resumed ? "yes" : ""},
        {"DATACHANGE_DATABASE", notice.target},
        {"DATACHANGE_STATE", notice.state},
        {"DATACHANGE_ROWS_CHANGED", std::to_string(notice.rows_changed)},
        {"DATACHANGE_ROWS_FAILED", std::to_string(notice.rows_failed)},
        {"DATACHANGE_DURATION_MS", std::to_string(notice.duration_ms)},
        {"DATACHANGE_ERROR", cut(notice.error, longest_error)},
        {"DATACHANGE_EXIT_STATUS", std::to_string(static_cast<int>(notice.exit_status))},
        {"DATACHANGE_CSV_DIRECTORY", existing(notice.csv_directory)},
    };
    for (const auto& variable : more) {
        if (variable.first != "DATACHANGE_TARGET") variables.push_back(variable);
    }
    const std::string given = value_of(more, "DATACHANGE_TARGET");
    const std::string target = given.empty() ? notice.target : given;
    variables.emplace_back("DATACHANGE_TARGET", target);
    variables.emplace_back(
        "DATACHANGE_TEXT",
        cut(text_of(notice, target, value_of(more, "DATACHANGE_OPERATOR")), longest_error));
    for (auto& [name, value] : variables) value = cut(value, longest_variable);
    return variables;
}

std::string hook_json(const HookVariables& variables) {
    constexpr std::string_view prefix = "DATACHANGE_";
    JsonObject object;
    for (const auto& [name, value] : variables) {
        const std::string field = lower(name.starts_with(prefix) ? name.substr(prefix.size()) : name);
        if (numbers.contains(name)) {
            object.raw(field, value);
        } else if (name == "DATACHANGE_RESUMED") {
            object.add(field, !value.empty());
        } else {
            object.add_or_null(field, valid_utf8(value));
        }
    }
    return object.text() + "\n";
}

HookListener::HookListener(HookOptions options, Listener& listener)
    : GuardedListener(listener), m_options(std::move(options)), m_hooks(most_events) {
}

const std::string& HookListener::command_of(RunEvent event) const {
    switch (event) {
        case RunEvent::start:
            return m_options.on_start;
        case RunEvent::done:
            return m_options.on_done;
        case RunEvent::paused:
            return m_options.on_paused;
        default:
            return m_options.on_failed;
    }
}

void HookListener::fire(const RunNotice& notice) {
    const std::string& command = command_of(notice.event);
    if (command.empty() || notice.dry_run) return;
    m_hooks.post([this, notice, &command] { call(notice, command); });
}

void HookListener::call(const RunNotice& notice, const std::string& command) noexcept try {
    const HookVariables variables = hook_variables(notice, m_options.environment);
    Subprocess hook;
    hook.command = shell_command(command);
    hook.environment = variables;
    hook.input = hook_json(variables);
    hook.timeout = m_options.timeout;
    hook.most_output = kept_output;
    hook.without = secrets;
    hook.without.insert(hook.without.end(), m_options.withheld.begin(), m_options.withheld.end());
    std::string failure;
    try {
        const SubprocessResult result = run_subprocess(hook);
        if (result.succeeded()) return;
        failure = result.failure();
    } catch (const std::exception& error) {
        failure = error.what();
    }
    warning(fmt::format("the hook on-{} {} (the run is not affected)", run_event_name(notice.event),
                        fit(failure, longest_warning)));
} catch (...) {  // NOLINT(bugprone-empty-catch): decoration
}

void HookListener::rows_changed(std::uint64_t changed) {
    m_run.rows_changed = changed;
    GuardedListener::rows_changed(changed);
}

void HookListener::run_taken(const RunNotice& notice) {
    m_run = notice;
    m_taken = std::chrono::steady_clock::now();
    fire(notice);
    GuardedListener::run_taken(notice);
}

void HookListener::run_paused(const std::string& why) {
    using std::chrono::milliseconds;
    const auto since = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - m_taken);
    RunNotice notice = m_run;
    notice.event = RunEvent::paused;
    notice.state = "paused";
    notice.error = why;
    notice.exit_status = ExitCode::pending;
    notice.duration_ms += since.count();
    fire(notice);
    GuardedListener::run_paused(why);
}

void HookListener::run_concluded(const RunNotice& notice) {
    fire(notice);
    GuardedListener::run_concluded(notice);
}

}  // namespace datachange
