#include "report/target_outcome.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "report/json.hpp"
#include "report/run_report.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

constexpr std::array states{"done",   "pending", "skipped", "excluded",
                            "failed", "stopped", "held",    "not begun"};

std::size_t count_of(const std::vector<TargetOutcome>& outcomes, const std::string& state) {
    return static_cast<std::size_t>(
        std::count_if(outcomes.begin(), outcomes.end(),
                      [&](const TargetOutcome& outcome) { return outcome.state == state; }));
}

RowCounts rows_of(const std::vector<TargetOutcome>& outcomes) {
    RowCounts rows;
    for (const TargetOutcome& outcome : outcomes) rows += outcome.rows;
    return rows;
}

/// The shards of one target, in a row of the same name.
std::vector<std::vector<TargetOutcome>> shard_sets(const std::vector<TargetOutcome>& outcomes) {
    std::vector<std::vector<TargetOutcome>> sets;
    for (const TargetOutcome& outcome : outcomes) {
        if (outcome.shard_of.empty()) continue;
        const bool same = !sets.empty() && sets.back().front().shard_of == outcome.shard_of;
        if (!same) sets.emplace_back();
        sets.back().push_back(outcome);
    }
    return sets;
}

std::string seconds(std::int64_t milliseconds) {
    return fmt::format("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10);
}

std::string runs_text(const std::vector<std::int64_t>& runs) {
    std::vector<std::string> numbers;
    for (const std::int64_t run : runs) {
        if (run != 0) numbers.push_back(std::to_string(run));
    }
    return join(numbers, ", ");
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

std::vector<std::string> table_row(const TargetOutcome& outcome) {
    const bool worked = outcome.state == "done";
    return {outcome.target,
            outcome.group,
            outcome.state,
            worked ? with_thousands(outcome.rows.changed()) : "",
            worked || outcome.error ? seconds(outcome.duration_ms) : "",
            runs_text(outcome.runs),
            fit(outcome.error ? first_line(outcome.error->what()) : outcome.note, 70)};
}

std::vector<std::string> sum_row(const std::vector<TargetOutcome>& shards) {
    std::int64_t longest = 0;
    for (const TargetOutcome& shard : shards) longest = std::max(longest, shard.duration_ms);
    const std::size_t done = count_of(shards, "done");
    return {fmt::format("= {}", shards.front().shard_of),
            shards.front().group,
            done == shards.size() ? "done" : fmt::format("{} of {} done", done, shards.size()),
            with_thousands(rows_of(shards).changed()),
            longest > 0 ? seconds(longest) : "",
            "",
            ""};
}

std::string table_text(const std::vector<TargetOutcome>& outcomes) {
    using Align = Table::Align;
    Table table(
        {"target", "group", "state", "rows", "duration", "run", ""},
        {Align::left, Align::left, Align::left, Align::right, Align::right, Align::right, Align::left});
    const auto sets = shard_sets(outcomes);
    for (const TargetOutcome& outcome : outcomes) {
        table.add(table_row(outcome));
        for (const auto& shards : sets) {
            if (shards.back().target == outcome.target) table.add(sum_row(shards));
        }
    }
    return table.text(2);
}

std::string totals_text(const std::vector<TargetOutcome>& outcomes, const TargetsCommand& command) {
    std::vector<std::string> parts;
    for (const char* state : states) {
        if (const std::size_t count = count_of(outcomes, state); count > 0)
            parts.push_back(fmt::format("{} {}", count, state));
    }
    return fmt::format("{}: {}; {} changed in {}{}\n", counted(outcomes.size(), "target"), join(parts, ", "),
                       counted(rows_of(outcomes).changed(), "row"), seconds(command.duration_ms),
                       command.dry_run ? ", and rolled back" : "");
}

std::string outcome_json(const TargetOutcome& outcome) {
    std::vector<std::string> runs;
    for (const std::int64_t run : outcome.runs) runs.push_back(std::to_string(run));
    return JsonObject{}
        .add("target", outcome.target)
        .add_or_null("group", outcome.group)
        .add_or_null("shard_of", outcome.shard_of)
        .add("state", outcome.state)
        .add("exit_status", outcome.exit_status())
        .add("rows_changed", outcome.rows.changed())
        .add("duration_ms", outcome.duration_ms)
        .raw("runs", "[" + join(runs, ",") + "]")
        .add_or_null("note", outcome.note)
        .add_or_null("error", outcome.error ? outcome.error->what() : "")
        .add_or_null("where", outcome.error ? outcome.error->where() : "")
        .add_or_null("hint", outcome.error ? outcome.error->hint() : "")
        .raw("result", trim(outcome.result))
        .text();
}

std::string shards_json(const std::vector<TargetOutcome>& shards) {
    return JsonObject{}
        .add("target", shards.front().shard_of)
        .add("shards", static_cast<std::uint64_t>(shards.size()))
        .add("done", static_cast<std::uint64_t>(count_of(shards, "done")))
        .raw("rows", counts_json(rows_of(shards)))
        .add("rows_changed", rows_of(shards).changed())
        .text();
}

std::string totals_json(const std::vector<TargetOutcome>& outcomes, const TargetsCommand& command) {
    JsonObject totals;
    totals.add("targets", static_cast<std::uint64_t>(outcomes.size()));
    for (const std::string state : states) {
        totals.add(state == "not begun" ? "not_begun" : state,
                   static_cast<std::uint64_t>(count_of(outcomes, state)));
    }
    return totals.raw("rows", counts_json(rows_of(outcomes)))
        .add("rows_changed", rows_of(outcomes).changed())
        .add("duration_ms", command.duration_ms)
        .text();
}

}  // namespace

int TargetOutcome::exit_status() const {
    if (error) return static_cast<int>(error->code());
    return state == "not begun" ? static_cast<int>(ExitCode::pending) : 0;
}

bool TargetOutcome::changed() const {
    return rows.changed() > 0 || exit_status() == static_cast<int>(ExitCode::partial);
}

int most_serious(const std::vector<int>& statuses) {
    for (const ExitCode code : {ExitCode::partial, ExitCode::mismatch, ExitCode::failed,
                                ExitCode::unreachable, ExitCode::pending, ExitCode::usage}) {
        const int status = static_cast<int>(code);
        if (std::find(statuses.begin(), statuses.end(), status) != statuses.end()) return status;
    }
    return 0;
}

int exit_status_of(const std::vector<TargetOutcome>& outcomes) {
    const bool changed = std::any_of(outcomes.begin(), outcomes.end(),
                                     [](const TargetOutcome& outcome) { return outcome.changed(); });
    std::vector<int> statuses;
    for (const TargetOutcome& outcome : outcomes) {
        const int status = outcome.exit_status();
        const bool says_unchanged =
            status == static_cast<int>(ExitCode::failed) || status == static_cast<int>(ExitCode::usage);
        statuses.push_back(changed && says_unchanged ? static_cast<int>(ExitCode::partial) : status);
    }
    return most_serious(statuses);
}

std::string errors_text(const std::vector<std::pair<std::string, Error>>& errors) {
    std::vector<std::pair<std::string, std::vector<std::string>>> by_text;
    for (const auto& [target, error] : errors) {
        const std::string text = error.text();
        const auto same = std::find_if(by_text.begin(), by_text.end(),
                                       [&](const auto& known) { return known.first == text; });
        if (same == by_text.end()) {
            by_text.emplace_back(text, std::vector{target});
        } else {
            same->second.push_back(target);
        }
    }
    std::string out;
    for (const auto& [text, targets] : by_text)
        out += wrapped(join(targets, ", ") + ":", 120) + " " + printable_lines(text) + "\n";
    return out;
}

std::string targets_text(const std::vector<TargetOutcome>& outcomes, const TargetsCommand& command) {
    std::vector<std::pair<std::string, Error>> errors;
    for (const TargetOutcome& outcome : outcomes) {
        if (outcome.error) errors.emplace_back(outcome.target, *outcome.error);
    }
    std::string out = fmt::format("{}{} on {}\n\n", command.dry_run ? "dry run of " : "", command.title,
                                  counted(outcomes.size(), "target"));
    out += table_text(outcomes);
    if (!errors.empty()) out += "\n" + errors_text(errors);
    return out + "\n" + totals_text(outcomes, command);
}

std::string targets_json(const std::vector<TargetOutcome>& outcomes, const TargetsCommand& command) {
    std::vector<std::string> targets;
    std::vector<std::string> shards;
    for (const TargetOutcome& outcome : outcomes) targets.push_back(outcome_json(outcome));
    for (const auto& set : shard_sets(outcomes)) shards.push_back(shards_json(set));
    return JsonObject{}
               .raw("targets", json_list(targets))
               .raw("shards", "[" + join(shards, ",") + "]")
               .raw("totals", totals_json(outcomes, command))
               .text() +
           "\n";
}

}  // namespace datachange
