#include "report/export_markdown.hpp"

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "report/ledger_report.hpp"
#include "report/summary_grid.hpp"
#include "report/visible_text.hpp"

namespace datachange {

namespace {

constexpr std::size_t longest_value = 120;  // characters
constexpr std::size_t most_failures = 20;

std::string table_row(const std::vector<std::string>& cells) {
    return "| " + join(cells, " | ") + " |\n";
}

std::string table_head(const std::vector<std::string>& names) {
    std::string rule = "|";
    for (std::size_t i = 0; i < names.size(); ++i) rule += " --- |";
    return table_row(names) + rule + "\n";
}

std::string value_code(std::string_view json) {
    if (json.empty()) return "";
    if (json == "null") return "NULL";
    return json == R"("")" ? "(empty text)" : markdown_code(plain_value_text(json), longest_value);
}

std::string facts(const LedgerRun& run) {
    std::string out = "| | |\n| --- | --- |\n";
    const auto line = [&](const char* name, const std::string& cell) {
        if (!cell.empty()) out += table_row({name, cell});
    };
    const auto code = [](const std::string& text) {
        return text.empty() ? "" : markdown_code(text, longest_value);
    };
    line("ticket", markdown_text(run.ticket));
    line("operator", markdown_text(run.operator_name + " on " + run.host));
    line("author", markdown_text(run.author));
    line("target",
         code(run.target) + (run.server_version.empty() ? "" : ", " + markdown_text(run.server_version)));
    line("definition", code(run.definition_path) + " SHA-256 " + code(run.definition_sha256));
    line("git commit", code(run.git_commit));
    line("takes back", code(run.reverses));
    line("started", run.started_at);
    line("finished", run.finished_at.empty() ? "" : run.finished_at + " (" + duration_text(run) + ")");
    line("how", run.mode == "single" ? "one transaction" : "batched");
    line("error", code(run.error));
    line("run", code(run.uuid));
    line("head hash", code(run.root));
    return out;
}

std::string warnings(const ExportedRun& run) {
    std::string out;
    for (const std::string& warning : run.warnings()) out += "- **" + markdown_text(warning) + "**\n";
    return out.empty() ? "" : out + "\n";
}

std::string counts(const ExportedRun& run) {
    std::string out = "## Rows\n\n" + table_head({"table", "pre", "change", "post", "updated", "inserted",
                                                  "deleted", "unchanged", "missing"});
    for (const LedgerStep& step : run.steps) {
        const RowCounts rows = run.rows_of(step);
        std::vector<std::string> cells{markdown_text(ExportedRun::title_of(step))};
        for (const std::uint64_t count : {rows.pre, rows.change, rows.post, rows.updated, rows.inserted,
                                          rows.deleted, rows.unchanged, rows.missing}) {
            cells.push_back(with_thousands(count));
        }
        out += table_row(cells);
    }
    return out + "\n";
}

std::string summaries(const ExportedRun& run) {
    std::string out;
    for (const LedgerStep& step : run.steps) {
        const SummaryGrid grid =
            summary_grid(run.summary(step.step, "before"), run.summary(step.step, "after"));
        if (grid.rows.empty()) continue;
        std::vector<std::string> header;
        for (const std::string& name : grid.header) header.push_back(markdown_text(name));
        out += "## Summary of " + markdown_text(ExportedRun::title_of(step)) + "\n\n" + table_head(header);
        for (const std::vector<std::string>& row : grid.rows) {
            std::vector<std::string> cells;
            for (const std::string& text : row)
                cells.push_back(text.empty() ? "" : markdown_code(text, longest_value));
            out += table_row(cells);
        }
        if (grid.left_out > 0) out += fmt::format("\n... and {} more\n", with_thousands(grid.left_out));
        out += "\n";
    }
    return out;
}

std::string besides(const ExportedRun& run) {
    if (run.collateral.empty()) return "";
    std::string out = "## Changed besides, by triggers or cascades\n\n" +
                      table_head({"table", "inserted", "updated", "deleted"});
    for (const LedgerCollateral& one : run.collateral) {
        out += table_row({markdown_text(one.rows.table) + (one.rows.truncated ? " (emptied as a whole)" : ""),
                          std::to_string(one.rows.inserted), std::to_string(one.rows.updated),
                          std::to_string(one.rows.deleted)});
    }
    return out + "\n";
}

std::string failures(const ExportedRun& run) {
    if (run.failures.empty()) return "";
    std::string out =
        "## Rows that could not be changed\n\n" + table_head({"identifier", "SQLSTATE", "message", "later"});
    std::size_t shown = 0;
    for (const LedgerFailure& failure : run.failures) {
        if (shown++ == most_failures) break;
        out += table_row({markdown_code(failure.identifier, longest_value), markdown_text(failure.sqlstate),
                          markdown_code(failure.message, longest_value),
                          failure.resolved_at.empty() ? "" : "changed at " + failure.resolved_at});
    }
    if (run.failures.size() > most_failures)
        out += fmt::format("\n... and {} more\n", with_thousands(run.failures.size() - most_failures));
    return out + "\n";
}

std::string approvals(const ExportedRun& run) {
    if (run.approvals.empty()) return "";
    std::string out = "## Approvals\n\n" + table_head({"signer", "used", "nonce"});
    for (const LedgerApproval& approval : run.approvals)
        out += table_row(
            {markdown_text(approval.signer), approval.at, markdown_code(approval.nonce, longest_value)});
    return out + "\n";
}

std::string events(const ExportedRun& run) {
    if (run.events.empty()) return "";
    std::string out = "## Events\n\n" + table_head({"at", "what", "detail"});
    for (const LedgerEvent& event : run.events)
        out += table_row({event.at, markdown_text(event.kind), markdown_text(event.detail)});
    return out + "\n";
}

/// Writes the first changed values; a changed row without any (evidence: keys) has a line of its own.
/// @return how many there are, one more than the limit at most
std::uint64_t write_changes(const ExportedRun& run, std::uint64_t limit, Output& to) {
    std::uint64_t count = 0;
    for (const LedgerStep& step : run.steps) {
        const StepLayout layout = layout_of(step);
        ChangeReader rows = run.ledger.changes(run.run.run, step.step);
        for (const ChangeRow* row = rows.next(); row != nullptr && count <= limit; row = rows.next()) {
            if (row->row.action == Action::unchanged || row->row.action == Action::missing) continue;
            const auto take = [&](const ChangedValue& value) {
                if (++count > limit) return;
                to.write(table_row({markdown_text(ExportedRun::title_of(step)),
                                    markdown_code(row->row.identifier, longest_value),
                                    action_name(row->row.action), markdown_text(value.column),
                                    value_code(value.before), value_code(value.after)}));
            };
            const std::uint64_t before = count;
            each_changed_value(*row, layout, take);
            if (count == before) take({});
        }
    }
    return count;
}

}  // namespace

std::string duration_text(const LedgerRun& run) {
    const auto start = parse_utc(run.started_at), end = parse_utc(run.finished_at);
    if (!start || !end || *end < *start) return {};
    const auto ms = static_cast<std::int64_t>((*end - *start) * 1000 + 0.5);
    const auto s = ms / 1000;
    if (s < 60) return fmt::format("{}.{:02} s", s, ms % 1000 / 10);
    if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
    return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
}

void export_markdown(const ExportedRun& run, std::uint64_t limit, Output& to) {
    const LedgerRun& one = run.run;
    to.write(fmt::format("# {} {}: {}{}\n\n", one.version, markdown_text(one.name), shown_state(one),
                         one.dry_run ? " (dry run)" : ""));
    to.write(warnings(run));
    to.write(facts(one) + "\n");
    to.write(counts(run));
    to.write(summaries(run));
    to.write(besides(run));
    to.write(failures(run));
    to.write(approvals(run));
    to.write(events(run));
    if (limit > 0 && run.why_no_rows().empty() && one.rows.changed() > 0) {
        to.write("## First changes\n\n" +
                 table_head({"table", "identifier", "action", "column", "before", "after"}));
        if (write_changes(run, limit, to) > limit)
            to.write(fmt::format("\nThese are the first {} changed values; the CSV files have all.\n",
                                 with_thousands(limit)));
    }
    to.finish();
}

}  // namespace datachange
