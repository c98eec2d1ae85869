#include "report/ledger_report.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/process.hpp"
#include "core/text.hpp"
#include "report/run_report.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

using Align = Table::Align;

constexpr std::size_t shown_lines = 20;

std::string state_text(const LedgerRun& run) {
    return shown_state(run) + (run.dry_run ? " (dry run)" : "");
}

std::string process_text(const LedgerRun& run) {
    if (run.process == 0) return "";
    std::string text = fmt::format("{} on {} since {}", run.process, run.process_host, run.owned_since);
    if (run.epoch > 1) text += fmt::format(", epoch {}", run.epoch);
    if (shown_state(run) == "stalled")
        text += fmt::format("; it is gone: `datachange resume {}` goes on", run.run);
    return text;
}

std::string facts(const LedgerRun& run) {
    std::string out;
    const auto line = [&](const char* name, const std::string& value) {
        if (!value.empty()) out += fmt::format("  {:<11}{}\n", name, printable(value));
    };
    line("definition", run.version + " " + run.name + "  SHA-256 " + run.definition_sha256);
    line("git commit", run.git_commit);
    line("target", run.target + "  (" + run.server_version + ")");
    line("operator", run.operator_name + " on " + run.host);
    line("ticket", run.ticket);
    line("undoes", run.reverses);
    line("author", run.author);
    line("mode", run.mode);
    line("started", run.started_at);
    line("process", process_text(run));
    line("finished", run.finished_at);
    line("error", run.error);
    line("csv", run.csv_directory);
    line("root", run.root);
    if (!run.pruned_at.empty())
        line("pruned", run.pruned_at + ": values were dropped, hashes and counts stay");
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
                       (step.evidence == "full" ? "" : ", evidence: " + step.evidence) +
                           (step.redacted.empty() ? "" : ", redacted: " + join(step.redacted, ", ")),
                       rows_text(rows));
}

/// Paths of batches in their order as people write them: "batch 7", "batches 1..7, 9.1".
std::string batches_named(const std::vector<std::string>& paths) {
    const auto number = [](const std::string& path) {
        const bool plain =
            !path.empty() && path.size() < 18 && path.find_first_not_of("0123456789") == path.npos;
        return plain ? std::stoll(path) : -1;
    };
    std::vector<std::string> parts;
    for (std::size_t first = 0; first < paths.size();) {
        std::size_t end = first + 1;
        while (end < paths.size() && number(paths[end - 1]) >= 0 &&
               number(paths[end]) == number(paths[end - 1]) + 1) {
            ++end;
        }
        parts.push_back(end - first == 1 ? paths[first] : paths[first] + ".." + paths[end - 1]);
        first = end;
    }
    return (paths.size() == 1 ? "batch " : "batches ") + join(parts, ", ");
}

/// What is to be said of single batches, one line for all of a step that it holds of.
std::string batch_notes(const std::vector<LedgerBatch>& batches,
                        const std::vector<LedgerElsewhere>& elsewhere) {
    std::map<std::pair<int, std::string>, std::vector<std::string>> notes;
    for (const LedgerElsewhere& batch : elsewhere) {
        notes[{batch.step, "evidence in ledger " + batch.ledger.substr(0, 8)}].push_back(batch.batch);
    }
    for (const LedgerBatch& batch : batches) {
        if (batch.state == "lost") {
            notes[{batch.step, "lost: committed, and not in the target's journal any more"}].push_back(
                batch.batch);
        } else if (batch.state == "committed" && !batch.witness.empty() && batch.witness != "complete") {
            notes[{batch.step, "witness " + printable(batch.witness)}].push_back(batch.batch);
        }
    }
    std::string out;
    for (const auto& [note, paths] : notes) {
        out += fmt::format("{} of step {}: {}\n", batches_named(paths), note.first, note.second);
    }
    return out;
}

/// What is left out of a list.
std::string more(std::size_t all) {
    if (all <= shown_lines) return "";
    return fmt::format("... and {} more (--json lists all)\n", with_thousands(all - shown_lines));
}

std::string batches_text(const std::vector<LedgerBatch>& batches) {
    Table table(
        {"step", "batch", "state", "above", "up to", "changed", "ms"},
        {Align::right, Align::right, Align::left, Align::left, Align::left, Align::right, Align::right});
    for (std::size_t i = 0; i < batches.size() && i < shown_lines; ++i) {
        const LedgerBatch& batch = batches[i];
        table.add({std::to_string(batch.step), batch.batch, batch.state, batch.lower_key, batch.upper_key,
                   with_thousands(batch.rows.changed()), std::to_string(batch.duration_ms)});
    }
    return table.empty() ? "" : "\n" + table.text(0, 40) + more(batches.size());
}

std::string failures_text(const std::vector<LedgerFailure>& failures) {
    if (failures.empty()) return "";
    const auto resolved = std::count_if(failures.begin(), failures.end(), [](const LedgerFailure& failure) {
        return !failure.resolved_at.empty();
    });
    Table table({"step", "batch", "identifier", "sqlstate", "message", "at", "resolved"},
                {Align::right, Align::right});
    for (std::size_t i = 0; i < failures.size() && i < shown_lines; ++i) {
        const LedgerFailure& failure = failures[i];
        table.add({std::to_string(failure.step), failure.batch, failure.identifier, failure.sqlstate,
                   failure.message, failure.at, failure.resolved_at});
    }
    return fmt::format("\n{} could not be changed, {} of them later\n", counted(failures.size(), "row"),
                       with_thousands(static_cast<std::uint64_t>(resolved))) +
           table.text(0, 60) + more(failures.size());
}

std::string collateral_text(const std::vector<LedgerCollateral>& recorded) {
    std::map<std::pair<int, std::string>, LedgerCollateral> tables;
    std::map<std::pair<int, std::string>, std::uint64_t> batches;
    for (const LedgerCollateral& one : recorded) {
        LedgerCollateral& sum = tables[{one.step, one.rows.table}];
        sum.rows.inserted += one.rows.inserted;
        sum.rows.updated += one.rows.updated;
        sum.rows.deleted += one.rows.deleted;
        sum.rows.truncated = sum.rows.truncated || one.rows.truncated;
        ++batches[{one.step, one.rows.table}];
    }
    std::string out;
    for (const auto& [name, sum] : tables) {
        out += fmt::format("besides, in {} of step {}: {}: {} inserted, {} updated, {} deleted{}\n",
                           counted(batches[name], "batch"), name.first, printable(name.second),
                           sum.rows.inserted, sum.rows.updated, sum.rows.deleted,
                           sum.rows.truncated ? ", emptied as a whole" : "");
    }
    return out;
}

std::string approvals_text(const std::vector<LedgerApproval>& approvals) {
    std::string out;
    for (const LedgerApproval& approval : approvals)
        out +=
            fmt::format("approved by {}, nonce {}\n", printable(approval.signer), printable(approval.nonce));
    return out;
}

std::string events_text(const std::vector<LedgerEvent>& events) {
    std::string out;
    const std::size_t first = events.size() > shown_lines ? events.size() - shown_lines : 0;
    if (first > 0) out = fmt::format("... {} before (--json lists all)\n", counted(first, "event"));
    for (std::size_t i = first; i < events.size(); ++i) {
        out += fmt::format("event {} {}: {}\n", events[i].at, events[i].kind, printable(events[i].detail));
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

std::string shown_state(const LedgerRun& run) {
    const bool open = run.state == "processing" || run.state == "paused";
    return open && process_gone(run.process_host, run.process, run.owned_since) ? "stalled" : run.state;
}

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

std::string show_text(const LedgerReader& ledger, const LedgerRun& run) {
    std::string out = fmt::format("run {} ({}) {}\n", run.run, run.uuid, state_text(run)) + facts(run);
    const std::vector<LedgerBatch> batches = ledger.batches(run.run);
    const std::vector<LedgerSummary> summaries = ledger.summaries(run.run);
    for (const LedgerStep& step : ledger.steps(run.run)) {
        out += step_text(step, batches);
        out += summary_table(find_summary(summaries, step.step, "before"),
                             find_summary(summaries, step.step, "after"), 2);
    }
    out += collateral_text(ledger.collateral(run.run));
    out += batch_notes(batches, ledger.elsewhere(run.run));
    out += approvals_text(ledger.approvals(run.run));
    out += events_text(ledger.events(run.run));
    return out + failures_text(ledger.failures(run.run)) + batches_text(batches);
}

}  // namespace datachange
