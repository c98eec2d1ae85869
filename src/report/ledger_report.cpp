#include "report/ledger_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "report/json.hpp"
#include "report/run_report.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

using Align = Table::Align;

constexpr std::size_t shown_batches = 20;

std::string state_text(const LedgerRun& run) {
    return run.state + (run.dry_run ? " (dry run)" : "");
}

JsonObject run_object(const LedgerRun& run) {
    JsonObject object;
    object.add("run", run.run)
        .add("uuid", run.uuid)
        .add("version", run.version)
        .add("name", run.name)
        .add("definition_sha256", run.definition_sha256)
        .add("engine", run.engine)
        .add("target", run.target)
        .add("operator", run.operator_name)
        .add("host", run.host)
        .add_or_null("ticket", run.ticket)
        .add("mode", run.mode)
        .add("state", run.state)
        .add("dry_run", run.dry_run)
        .add("rows_changed", run.dry_run ? 0 : run.rows.changed())
        .raw("rows", counts_json(run.rows))
        .add("started_at", run.started_at)
        .add_or_null("finished_at", run.finished_at)
        .add_or_null("error", run.error)
        .add_or_null("csv_directory", run.csv_directory);
    return object;
}

std::string steps_json(const std::vector<LedgerStep>& steps) {
    std::vector<std::string> items;
    for (const LedgerStep& step : steps) {
        items.push_back(JsonObject{}
                            .add("step", step.step)
                            .add_or_null("name", step.name)
                            .add_or_null("table", step.table)
                            .add("identifier", join(step.identifier, ", "))
                            .add("evidence", step.evidence)
                            .raw("watch_of", step.watch_of == 0 ? "null" : std::to_string(step.watch_of))
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string batches_json(const std::vector<LedgerBatch>& batches) {
    std::vector<std::string> items;
    for (const LedgerBatch& batch : batches) {
        items.push_back(JsonObject{}
                            .add("step", batch.step)
                            .add("batch", batch.batch)
                            .add("state", batch.state)
                            .raw("lower_key", batch.lower_key)
                            .raw("upper_key", batch.upper_key)
                            .raw("rows", counts_json(batch.rows))
                            .add("started_at", batch.started_at)
                            .add("duration_ms", batch.duration_ms)
                            .add("leaf", batch.leaf)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string summaries_json(const std::vector<LedgerSummary>& summaries) {
    std::vector<std::string> items;
    for (const LedgerSummary& summary : summaries) {
        items.push_back(JsonObject{}
                            .add("step", summary.step)
                            .add("moment", summary.moment)
                            .raw("result", summary.result)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string files_json(const std::vector<LedgerFile>& files) {
    std::vector<std::string> items;
    for (const LedgerFile& file : files) {
        items.push_back(JsonObject{}
                            .add("step", file.step)
                            .add("name", file.name)
                            .add("path", file.path)
                            .add("bytes", file.bytes)
                            .add("sha256", file.sha256)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string collateral_json(const std::vector<LedgerCollateral>& tables) {
    std::vector<std::string> items;
    for (const LedgerCollateral& table : tables) {
        items.push_back(JsonObject{}
                            .add("step", table.step)
                            .add("batch", table.batch)
                            .add("table", table.rows.table)
                            .add("inserted", table.rows.inserted)
                            .add("updated", table.rows.updated)
                            .add("deleted", table.rows.deleted)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string events_json(const std::vector<LedgerEvent>& events) {
    std::vector<std::string> items;
    for (const LedgerEvent& event : events) {
        items.push_back(
            JsonObject{}.add("at", event.at).add("kind", event.kind).add("detail", event.detail).text());
    }
    return "[" + join(items, ",") + "]";
}

std::string facts(const LedgerRun& run) {
    std::string out;
    const auto line = [&](const char* name, const std::string& value) {
        if (!value.empty()) out += fmt::format("  {:<11}{}\n", name, printable(value));
    };
    line("definition", run.version + " " + run.name + "  SHA-256 " + run.definition_sha256);
    line("target", run.target + "  (" + run.server_version + ")");
    line("operator", run.operator_name + " on " + run.host);
    line("ticket", run.ticket);
    line("author", run.author);
    line("mode", run.mode);
    line("started", run.started_at);
    line("finished", run.finished_at);
    line("error", run.error);
    line("csv", run.csv_directory);
    line("root", run.root);
    return out;
}

std::string rows_text(const RowCounts& rows) {
    return fmt::format(
        "pre {}, change {}, post {}: {} updated, {} inserted, {} deleted, {} unchanged, {} missing",
        with_thousands(rows.pre), with_thousands(rows.change), with_thousands(rows.post),
        with_thousands(rows.updated), with_thousands(rows.inserted), with_thousands(rows.deleted),
        with_thousands(rows.unchanged), with_thousands(rows.missing));
}

std::string step_text(const LedgerStep& step, const std::vector<LedgerBatch>& batches) {
    RowCounts rows;
    for (const LedgerBatch& batch : batches) {
        if (batch.step == step.step && batch.state == "committed") rows += batch.rows;
    }
    const std::string name = step.name.empty() ? "" : " " + step.name;
    return fmt::format("\nstep {}{}: {} by {}{}\n  {}\n", step.step, name,
                       step.table.empty() ? "-" : step.table, join(step.identifier, ", "),
                       step.evidence == "full" ? "" : ", evidence: " + step.evidence, rows_text(rows));
}

std::string batches_text(const std::vector<LedgerBatch>& batches) {
    Table table(
        {"step", "batch", "state", "above", "up to", "changed", "ms"},
        {Align::right, Align::right, Align::left, Align::left, Align::left, Align::right, Align::right});
    for (std::size_t i = 0; i < batches.size() && i < shown_batches; ++i) {
        const LedgerBatch& batch = batches[i];
        table.add({std::to_string(batch.step), batch.batch, batch.state, batch.lower_key, batch.upper_key,
                   with_thousands(batch.rows.changed()), std::to_string(batch.duration_ms)});
    }
    std::string out = table.empty() ? "" : "\n" + table.text(0, 40);
    if (batches.size() > shown_batches) {
        out += fmt::format("... and {} more (--json lists all)\n",
                           with_thousands(batches.size() - shown_batches));
    }
    return out;
}

std::string find_summary(const std::vector<LedgerSummary>& summaries, int step, const char* moment) {
    for (const LedgerSummary& summary : summaries) {
        if (summary.step == step && summary.moment == moment) return summary.result;
    }
    return {};
}

}  // namespace

std::string runs_text(const std::vector<LedgerRun>& runs) {
    if (runs.empty()) return "no runs\n";
    Table table(
        {"run", "uuid", "version", "name", "state", "mode", "rows", "started", "operator", "target"},
        {Align::right, Align::left, Align::left, Align::left, Align::left, Align::left, Align::right});
    for (const LedgerRun& run : runs) {
        table.add({std::to_string(run.run), run.uuid.substr(0, 8), run.version, run.name, state_text(run),
                   run.mode, with_thousands(run.rows.changed()), run.started_at, run.operator_name,
                   run.target});
    }
    return table.text(0, 60);
}

std::string runs_json(const std::vector<LedgerRun>& runs) {
    std::vector<std::string> items;
    for (const LedgerRun& run : runs) items.push_back(run_object(run).text());
    return json_list(items) + "\n";
}

std::string show_text(const LedgerReader& ledger, const LedgerRun& run) {
    std::string out = fmt::format("run {} ({}) {}\n", run.run, run.uuid, state_text(run)) + facts(run);
    const std::vector<LedgerBatch> batches = ledger.batches(run.run);
    const std::vector<LedgerSummary> summaries = ledger.summaries(run.run);
    for (const LedgerStep& step : ledger.steps(run.run)) {
        out += step_text(step, batches);
        out += summary_table(find_summary(summaries, step.step, "before"),
                             find_summary(summaries, step.step, "after"), 2);
    }
    for (const LedgerCollateral& table : ledger.collateral(run.run)) {
        out += fmt::format("besides, step {} batch {}: {}: {} inserted, {} updated, {} deleted\n", table.step,
                           table.batch, table.rows.table, table.rows.inserted, table.rows.updated,
                           table.rows.deleted);
    }
    for (const LedgerEvent& event : ledger.events(run.run)) {
        out += fmt::format("event {} {}: {}\n", event.at, event.kind, printable(event.detail));
    }
    return out + batches_text(batches);
}

std::string show_json(const LedgerReader& ledger, const LedgerRun& run) {
    JsonObject object = run_object(run);
    object.add("definition", ledger.definition(run.run))
        .add_or_null("author", run.author)
        .add("server_version", run.server_version)
        .add("tool_version", run.tool_version)
        .add_or_null("root", run.root)
        .raw("steps", steps_json(ledger.steps(run.run)))
        .raw("batches", batches_json(ledger.batches(run.run)))
        .raw("summaries", summaries_json(ledger.summaries(run.run)))
        .raw("collateral", collateral_json(ledger.collateral(run.run)))
        .raw("events", events_json(ledger.events(run.run)))
        .raw("files", files_json(ledger.files(run.run)));
    return object.text() + "\n";
}

std::string history_json(const std::vector<HistoryEntry>& entries) {
    std::vector<std::string> items;
    for (const HistoryEntry& entry : entries) {
        items.push_back(JsonObject{}
                            .add("run", entry.run)
                            .add("version", entry.version)
                            .add("name", entry.name)
                            .add_or_null("ticket", entry.ticket)
                            .add("operator", entry.operator_name)
                            .add("started_at", entry.started_at)
                            .add("step", entry.step)
                            .add("batch", entry.batch)
                            .add_or_null("table", entry.table)
                            .add("identifier", entry.identifier)
                            .add_or_null("new_identifier", entry.new_identifier)
                            .add("action", entry.action)
                            .raw("before", entry.before)
                            .raw("after", entry.after)
                            .text());
    }
    return json_list(items) + "\n";
}

}  // namespace datachange
