#include "report/run_report.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/value_json.hpp"
#include "report/json.hpp"
#include "report/summary_grid.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

using Align = Table::Align;

std::string csv_json(const CsvPaths& csv) {
    return JsonObject{}
        .add_or_null("pre", csv.pre)
        .add_or_null("change", csv.change)
        .add_or_null("post", csv.post)
        .add_or_null("diff", csv.diff)
        .text();
}

std::string summary_json(const StepResult& step) {
    return JsonObject{}.raw("before", step.summary_before).raw("after", step.summary_after).text();
}

std::string step_json(const StepResult& step) {
    return JsonObject{}
        .add("step", step.number)
        .raw("watch_of", step.watch_of == 0 ? "null" : std::to_string(step.watch_of))
        .add_or_null("name", step.name)
        .add_or_null("table", step.table)
        .raw("rows", counts_json(step.rows))
        .raw("csv", csv_json(step.csv))
        .raw("summary", summary_json(step))
        .text();
}

/// Seconds by phase. Phases run beside each other.
std::string timings_text(const RunResult& result) {
    std::vector<std::string> phases;
    for (const auto& [phase, seconds] : result.timings)
        phases.push_back(fmt::format("{} {:.2f}", phase, seconds));
    return fmt::format("  time    {:.2f} s; seconds in {}\n",
                       static_cast<double>(result.duration_ms) / 1000.0, join(phases, ", "));
}

std::string timings_json(const RunResult& result) {
    JsonObject object;
    object.raw("wall", fmt::format("{:.3f}", static_cast<double>(result.duration_ms) / 1000.0));
    for (const auto& [phase, seconds] : result.timings) object.raw(phase, fmt::format("{:.6f}", seconds));
    return object.text();
}

std::string collateral_json(const std::vector<Collateral>& tables) {
    std::vector<std::string> items;
    for (const Collateral& table : tables) {
        items.push_back(JsonObject{}
                            .add("table", table.table)
                            .add("inserted", table.inserted)
                            .add("updated", table.updated)
                            .add("deleted", table.deleted)
                            .add("truncated", table.truncated)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string failures_json(const std::vector<RowFailure>& failures) {
    std::vector<std::string> items;
    for (const RowFailure& failure : failures) {
        items.push_back(JsonObject{}
                            .add("step", failure.step)
                            .add("batch", failure.batch)
                            .add_or_null("identifier", failure.identifier)
                            .add("sqlstate", failure.sqlstate)
                            .add("message", failure.message)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string conflicts_json(const std::vector<RowConflict>& conflicts) {
    std::vector<std::string> items;
    for (const RowConflict& conflict : conflicts) {
        const auto value = [](const std::string& json) { return json.empty() ? "null" : json_string(json); };
        items.push_back(JsonObject{}
                            .add("step", conflict.step)
                            .add("identifier", conflict.identifier)
                            .add("column", conflict.column)
                            .raw("before", value(conflict.before))
                            .raw("after", value(conflict.after))
                            .raw("live", value(conflict.live))
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string conflicts_text(const RunResult& result) {
    if (result.conflicting_rows == 0) return {};
    constexpr std::size_t shown = 5;
    std::string out = fmt::format(
        "  conflicts {} not any more what the run had left (conflicts.csv)\n",
        result.conflicting_rows == 1 ? "1 row was" : with_thousands(result.conflicting_rows) + " rows were");
    const auto value = [](const std::string& json) { return json.empty() ? std::string{"no row"} : json; };
    for (std::size_t i = 0; i < result.conflicts.size() && i < shown; ++i) {
        const RowConflict& conflict = result.conflicts[i];
        out +=
            fmt::format("          {}, {}: before {}, after {}, live {}\n", conflict.identifier,
                        conflict.column, value(conflict.before), value(conflict.after), value(conflict.live));
    }
    return out + (result.conflicts.size() > shown ? "          ...\n" : "");
}

std::string failures_text(const RunResult& result) {
    if (result.failures.empty()) return {};
    constexpr std::size_t shown = 5;
    std::vector<std::string> examples;
    for (const RowFailure& failure : result.failures) {
        if (examples.size() == shown) break;
        examples.push_back(failure.identifier);
    }
    return fmt::format("  failed  {}: {}{}; `datachange retry {}` tries them again\n",
                       counted(result.failures.size(), "row"), join(examples, ", "),
                       result.failures.size() > shown ? ", ..." : "", result.run);
}

/// The step whose summary stands for the run: the first that has one.
const StepResult* summarised(const RunResult& result) {
    for (const StepResult& step : result.steps) {
        if (!step.summary_before.empty()) return &step;
    }
    return nullptr;
}

std::string outcome_text(const RowCounts& rows) {
    std::vector<std::string> parts;
    const auto add = [&](std::uint64_t count, const char* word) {
        if (count > 0) parts.push_back(with_thousands(count) + " " + word);
    };
    add(rows.updated, "updated");
    add(rows.inserted, "inserted");
    add(rows.deleted, "deleted");
    add(rows.unchanged, "unchanged");
    add(rows.missing, "missing (in pre, not changed)");
    return parts.empty() ? "no rows" : join(parts, ", ");
}

std::string seconds(std::int64_t milliseconds) {
    return fmt::format("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10);
}

std::string step_rows_text(const StepResult& step) {
    if (step.only_verified) return "  rows    none to change; verify returned no row\n";
    const RowCounts& rows = step.rows;
    if (step.watch_of != 0) return fmt::format("  rows    {}\n", outcome_text(rows));
    return fmt::format("  rows    {}: pre {}, change {}, post {}\n", outcome_text(rows),
                       with_thousands(rows.pre), with_thousands(rows.change), with_thousands(rows.post));
}

std::string step_text(const StepResult& step, bool named) {
    std::string out;
    if (step.watch_of != 0) {
        out += "  watched " + step.table + "\n";
    } else if (named) {
        out += fmt::format("  step    {}{}{}\n", step.number, step.name.empty() ? "" : " " + step.name,
                           step.table.empty() ? "" : " (" + step.table + ")");
    }
    out += step_rows_text(step);
    out += summary_table(step.summary_before, step.summary_after, 10);
    return out;
}

}  // namespace

std::string counts_json(const RowCounts& counts) {
    return JsonObject{}
        .add("pre", counts.pre)
        .add("change", counts.change)
        .add("post", counts.post)
        .add("updated", counts.updated)
        .add("inserted", counts.inserted)
        .add("deleted", counts.deleted)
        .add("unchanged", counts.unchanged)
        .add("missing", counts.missing)
        .add("unexpected", counts.unexpected)
        .text();
}

std::string summary_table(const std::string& before, const std::string& after, std::size_t indent) {
    const SummaryGrid grid = summary_grid(before, after);
    if (grid.rows.empty()) return {};
    std::vector<Align> aligns(grid.header.size(), Align::right);
    aligns.front() = Align::left;
    Table table(grid.header, aligns);
    for (const std::vector<std::string>& row : grid.rows) table.add(row);
    if (grid.left_out > 0) table.add({fmt::format("... and {} more", grid.left_out)});
    return table.text(indent, 60);
}

std::string run_text(const RunResult& result) {
    std::string out;
    if (result.dry_run) {
        out += fmt::format("dry run of {} {} on {}: everything was rolled back\n", result.version,
                           result.name, result.target);
    } else {
        out += fmt::format("run {} {}: {} {} on {}\n", result.run, result.state, result.version, result.name,
                           result.target);
    }
    out += fmt::format("  how     {}, {}, {}{}\n", result.mode == "single" ? "one transaction" : "batched",
                       counted(result.batches, "batch"), seconds(result.duration_ms),
                       result.resumed ? " since it went on" : "");
    if (!result.approved_by.empty()) out += fmt::format("  agreed  {}\n", join(result.approved_by, ", "));
    for (const StepResult& step : result.steps) out += step_text(step, result.steps.size() > 1);
    for (const Collateral& table : result.collateral) {
        out += fmt::format(
            "  besides {}: {} inserted, {} updated, {} deleted{} by triggers, cascades or other statements\n",
            table.table, with_thousands(static_cast<std::uint64_t>(table.inserted)),
            with_thousands(static_cast<std::uint64_t>(table.updated)),
            with_thousands(static_cast<std::uint64_t>(table.deleted)),
            table.truncated ? ", and truncated" : "");
    }
    out += conflicts_text(result);
    out += failures_text(result);
    if (!result.csv_directory.empty()) out += "  csv     " + result.csv_directory + "\n";
    if (!result.timings.empty()) out += timings_text(result);
    return out;
}

std::string run_json(const RunResult& result) {
    const StepResult* summary = summarised(result);
    std::vector<std::string> steps;
    for (const StepResult& step : result.steps) steps.push_back(step_json(step));
    JsonObject object;
    object.add("run", result.run)
        .add("uuid", result.uuid)
        .add("version", result.version)
        .add("name", result.name)
        .add("engine", engine_name(result.engine))
        .add("mode", result.mode)
        .add("state", result.state)
        .add("dry_run", result.dry_run)
        .add("batches", result.batches)
        .raw("rows", counts_json(result.rows))
        .add("duration_ms", result.duration_ms)
        .raw("csv", csv_json(result.steps.empty() ? CsvPaths{} : result.steps.front().csv))
        .raw("summary",
             summary ? summary_json(*summary) : JsonObject{}.raw("before", "").raw("after", "").text())
        .raw("steps", "[" + join(steps, ",") + "]")
        .raw("collateral", collateral_json(result.collateral))
        .raw("failures", failures_json(result.failures))
        .raw("approved_by", json_array_of_strings(result.approved_by))
        .add_or_null("reverses", result.reverses)
        .add("conflicting_rows", result.conflicting_rows)
        .raw("conflicts", conflicts_json(result.conflicts))
        .add("resumed", result.resumed)
        .add("batches_elsewhere", result.batches_elsewhere)
        .add("rows_elsewhere", result.rows_elsewhere)
        .add("lost_batches", result.lost_batches)
        .raw("warnings", json_array_of_strings(result.warnings))
        .add_or_null("csv_directory", result.csv_directory);
    if (!result.timings.empty()) object.raw("timings", timings_json(result));
    return object.text() + "\n";
}

}  // namespace datachange
