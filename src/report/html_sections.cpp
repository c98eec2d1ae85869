#include "report/html_sections.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "datachange/version.hpp"
#include "report/export_markdown.hpp"
#include "report/ledger_report.hpp"
#include "report/summary_grid.hpp"
#include "report/visible_text.hpp"

namespace datachange {

namespace {

constexpr std::size_t most_failures = 200;
constexpr std::size_t most_values = 200;    // in print
constexpr std::size_t longest_value = 400;  // bytes of one in print

/// @param kind a class of its own, or ""
std::string panel(const std::string& id, const std::string& title, const std::string& content,
                  const char* kind = "") {
    return fmt::format(
        "<section class=\"panel {3}\" aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n{2}</section>", id,
        title, content, kind);
}

/// A table whose cells are HTML already. @param numbers columns from this one on hold numbers
std::string table(const std::vector<std::string>& header, const std::string& rows, std::size_t numbers) {
    std::string head;
    for (std::size_t i = 0; i < header.size(); ++i) {
        head +=
            fmt::format("<th scope=\"col\"{}>{}</th>", i >= numbers ? " class=\"number\"" : "", header[i]);
    }
    return fmt::format(
        "<div class=\"scroll\"><table "
        "class=\"plain\"><thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
        head, rows);
}

std::string cell(const std::string& html, const char* kind = "") {
    return fmt::format("<td{}>{}</td>", *kind ? fmt::format(" class=\"{}\"", kind) : "", html);
}

std::string summary_row(const std::vector<std::string>& cells) {
    std::string out = "<tr><th scope=\"row\">" + html_text(cells.front()) + "</th>";
    for (std::size_t i = 1; i + 1 < cells.size(); i += 2) {
        const bool differs = cells[i] != cells[i + 1] && !cells[i + 1].empty();
        out += cell(html_text(cells[i]), "number was");
        const std::string after = html_text(cells[i + 1]);
        out += cell(differs ? "<span class=\"differs\">" + after + "</span>" : after, "number");
    }
    return out + "</tr>\n";
}

/// A value for print: cut, and NULL told apart from the text.
std::string value_html(std::string_view json) {
    if (json.empty()) return "";
    if (json == "null") return "<span class=\"nil\">NULL</span>";
    const std::string text = plain_value_text(json);
    if (text.empty()) return "<span class=\"nil\">empty text</span>";
    std::size_t end = std::min(text.size(), longest_value);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return "<bdi class=\"mono\">" + html_text(std::string_view{text}.substr(0, end)) + "</bdi>" +
           (end < text.size()
                ? fmt::format(" <span class=\"nil\">… {} bytes</span>", with_thousands(text.size()))
                : "");
}

}  // namespace

std::string html_badges(const ExportedRun& run) {
    const LedgerRun& one = run.run;
    const std::string state = shown_state(one);
    const auto badge = [](const std::string& text, const char* kind) {
        return text.empty()
                   ? ""
                   : fmt::format("<span class=\"badge {}\"><bdi>{}</bdi></span>\n", kind, html_text(text));
    };
    return badge(state, state == "done" ? "good" : "bad") + (one.dry_run ? badge("dry run", "bad") : "") +
           badge(one.ticket, "ticket") + badge(one.operator_name, "") +
           badge(one.started_at.substr(0, 10), "") + badge(duration_text(one), "");
}

std::string html_warnings(const ExportedRun& run) {
    std::string items;
    if (!run.run.error.empty()) items += "<li>" + html_text(run.run.error) + "</li>\n";
    for (const std::string& warning : run.warnings()) items += "<li>" + html_text(warning) + "</li>\n";
    if (items.empty()) return {};
    return "<section class=\"warnings\" aria-labelledby=\"warnings-title\"><h2 id=\"warnings-title\">Worth "
           "knowing</h2>\n<ul>" +
           items + "</ul></section>";
}

std::string html_cards(const ExportedRun& run) {
    std::string out;
    const auto card = [&](const char* name, std::uint64_t count) {
        out += fmt::format("<div class=\"card {}{}\"><strong>{}</strong><span>{}</span></div>\n", name,
                           count == 0 ? " zero" : "", with_thousands(count), name);
    };
    RowCounts rows;
    for (const LedgerStep& step : run.steps) rows += run.rows_of(step);
    card("updated", rows.updated);
    card("inserted", rows.inserted);
    card("deleted", rows.deleted);
    card("unchanged", rows.unchanged);
    card("missing", rows.missing);
    card("failed", run.open_failures());
    return out;
}

std::string html_facts(const ExportedRun& run) {
    const LedgerRun& one = run.run;
    std::string out;
    const auto fact = [&](const char* name, const std::string& value, const char* kind = "") {
        if (value.empty()) return;
        out += fmt::format("<div><dt>{}</dt><dd class=\"{}\"><bdi>{}</bdi></dd></div>\n", name, kind,
                           html_text(value));
    };
    fact("Ticket", one.ticket);
    fact("Operator", one.operator_name + " on " + one.host);
    fact("Author", one.author);
    fact("Target", one.target);
    fact("Server", one.server_version);
    fact("Started", one.started_at);
    fact("Finished", one.finished_at.empty() ? "" : one.finished_at + " (" + duration_text(one) + ")");
    fact("How", one.mode == "single" ? "one transaction" : counted(run.batches.size(), "batch"));
    fact("Git commit of the definition", one.git_commit, "hash");
    fact("SHA-256 of the definition", one.definition_sha256, "hash");
    fact("Run", one.uuid, "hash");
    fact("Takes back run", one.reverses, "hash");
    fact("Head hash", one.root, "hash");
    fact("Values pruned", one.pruned_at);
    return out;
}

std::string html_summaries(const ExportedRun& run) {
    std::string out;
    for (const LedgerStep& step : run.steps) {
        const SummaryGrid grid =
            summary_grid(run.summary(step.step, "before"), run.summary(step.step, "after"));
        if (grid.rows.empty()) continue;
        std::string rows;
        for (const std::vector<std::string>& row : grid.rows) rows += summary_row(row);
        std::vector<std::string> header;
        for (const std::string& name : grid.header) header.push_back(html_text(name));
        const std::string more = grid.left_out > 0 ? fmt::format("<p class=\"hint\">... and {} more</p>\n",
                                                                 with_thousands(grid.left_out))
                                                   : "";
        const std::string of = run.steps.size() > 1 ? " of " + html_text(ExportedRun::title_of(step)) : "";
        out += panel(fmt::format("summary-{}", step.step), "Summary" + of, table(header, rows, 1) + more,
                     "summary");
    }
    return out;
}

std::string html_steps(const ExportedRun& run) {
    if (run.steps.size() < 2) return {};
    std::string rows;
    for (const LedgerStep& step : run.steps) {
        const RowCounts counts = run.rows_of(step);
        rows += "<tr><th scope=\"row\">" + html_text(ExportedRun::title_of(step)) + "</th>" +
                cell(html_text(join(step.identifier, ", ")));
        for (const std::uint64_t count :
             {counts.pre, counts.change, counts.post, counts.updated, counts.inserted, counts.deleted,
              counts.unchanged, counts.missing}) {
            rows += cell(with_thousands(count), "number");
        }
        rows += "</tr>\n";
    }
    return panel("steps-title", "Tables",
                 table({"table", "identifier", "pre", "change", "post", "updated", "inserted", "deleted",
                        "unchanged", "missing"},
                       rows, 2));
}

std::string html_besides(const ExportedRun& run) {
    if (run.collateral.empty()) return {};
    std::string rows;
    for (const LedgerCollateral& one : run.collateral) {
        rows += "<tr><th scope=\"row\">" + html_text(one.rows.table) + "</th>" +
                cell(std::to_string(one.rows.inserted), "number") +
                cell(std::to_string(one.rows.updated), "number") +
                cell(std::to_string(one.rows.deleted) + (one.rows.truncated ? ", emptied as a whole" : ""),
                     "number") +
                "</tr>\n";
    }
    return panel("besides-title", "Changed besides, by triggers or cascades",
                 table({"table", "inserted", "updated", "deleted"}, rows, 1));
}

std::string html_failures(const ExportedRun& run) {
    if (run.failures.empty()) return {};
    std::string rows;
    for (std::size_t i = 0; i < run.failures.size() && i < most_failures; ++i) {
        const LedgerFailure& one = run.failures[i];
        rows += "<tr><th scope=\"row\"><bdi class=\"mono\">" + html_text(one.identifier) + "</bdi></th>" +
                cell(html_text(one.sqlstate)) + cell(html_text(one.message)) +
                cell(html_text(one.resolved_at)) + "</tr>\n";
    }
    const std::string more = run.failures.size() > most_failures
                                 ? fmt::format("<p class=\"hint\">... and {} more</p>\n",
                                               with_thousands(run.failures.size() - most_failures))
                                 : "";
    return panel("failures-title", "Rows that could not be changed",
                 table({"identifier", "SQLSTATE", "message", "changed later, at"}, rows, 4) + more);
}

std::string html_approvals(const ExportedRun& run) {
    if (run.approvals.empty()) return {};
    std::string rows;
    for (const LedgerApproval& approval : run.approvals)
        rows += "<tr>" + cell(html_text(approval.signer)) + cell(approval.at) +
                cell(html_text(approval.nonce)) + "</tr>\n";
    return panel("approvals-title", "Approvals", table({"signer", "used", "nonce"}, rows, 3));
}

std::string html_events(const ExportedRun& run) {
    if (run.events.empty()) return {};
    std::string rows;
    for (const LedgerEvent& event : run.events)
        rows +=
            "<tr>" + cell(event.at) + cell(html_text(event.kind)) + cell(html_text(event.detail)) + "</tr>\n";
    return panel("events-title", "Events", table({"at", "what", "detail"}, rows, 3));
}

std::string html_first_changes(const ExportedRun& run, std::uint64_t all) {
    if (!run.why_no_rows().empty()) return {};
    std::string rows;
    std::uint64_t shown = 0;
    std::size_t values = 0;
    for (const LedgerStep& step : run.steps) {
        const StepLayout layout = layout_of(step);
        ChangeReader changes = run.ledger.changes(run.run.run, step.step);
        while (values < most_values) {
            const ChangeRow* const row = changes.next();
            if (!row) break;
            ++shown;
            const std::string begin = "<tr>" + cell("<bdi>" + html_text(row->row.identifier) + "</bdi>") +
                                      cell(html_text(ExportedRun::title_of(step))) +
                                      cell(action_name(row->row.action));
            const std::size_t before = values;
            each_changed_value(*row, layout, [&](const ChangedValue& value) {
                ++values;
                rows += begin + cell(html_text(value.column)) + cell(value_html(value.before)) +
                        cell(value_html(value.after)) + "</tr>\n";
            });
            if (values > before) continue;
            ++values;
            rows += begin + cell("") + cell("") + cell("") + "</tr>\n";
        }
    }
    const std::string note =
        shown < all
            ? fmt::format("<p class=\"hint\">The first {} of {} rows; {} more are in the CSV files.</p>\n",
                          with_thousands(shown), with_thousands(all), with_thousands(all - shown))
            : fmt::format("<p class=\"hint\">All {}.</p>\n", counted(all, "row"));
    return note + table({"identifier", "table", "action", "column", "before", "after"}, rows, 6);
}

std::string html_footer(const ExportedRun& run) {
    return html_text(
        fmt::format("datachange {}, ledger run {}. The head hash, kept outside of the ledger, shows that "
                    "nothing up to this run was altered or taken away.",
                    version(), run.run.run));
}

}  // namespace datachange
