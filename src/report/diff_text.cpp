#include <memory>

#include <fmt/format.h>

#include "core/text.hpp"
#include "report/diff.hpp"
#include "report/table.hpp"
#include "report/value_text.hpp"

namespace datachange {

namespace {

std::string counts_text(const RowCounts& rows) {
    std::vector<std::string> parts;
    const auto part = [&](std::uint64_t count, const char* action) {
        if (count > 0) parts.push_back(fmt::format("{} {}", with_thousands(count), action));
    };
    part(rows.updated, "updated");
    part(rows.inserted, "inserted");
    part(rows.deleted, "deleted");
    part(rows.unchanged, "unchanged");
    part(rows.missing, "missing");
    return parts.empty() ? "no rows" : join(parts, ", ");
}

/// What explains rows that one may look for in vain.
std::string gaps_text(const LedgerReader& ledger, const LedgerRun& run,
                      const std::vector<LedgerStep>& steps) {
    std::string out;
    if (run.dry_run) out += "it was a dry run: its rows are in its CSV files alone\n";
    if (!run.pruned_at.empty())
        out += fmt::format("its values were pruned on {}: hashes and counts are left\n", run.pruned_at);
    if (const std::size_t batches = ledger.elsewhere(run.run).size(); batches > 0)
        out += fmt::format("the rows of {} are in another ledger: see `datachange show {}`\n",
                           counted(batches, "batch"), run.run);
    for (const LedgerStep& step : steps) {
        if (step.evidence == "full") continue;
        out += fmt::format("step {}: evidence {}: {}\n", step.step, step.evidence,
                           step.evidence == "keys" ? "identifiers are kept, values are not"
                                                   : "numbers are kept, rows are not");
    }
    return out;
}

std::string title(const LedgerRun& run, bool color) {
    const std::string text = fmt::format(
        "run {}  {}  {}  {} {}{}  by {} on {}", run.run, shown_state(run), run.started_at, run.version,
        run.name, run.ticket.empty() ? "" : "  " + run.ticket, run.operator_name, run.target);
    return painted(printable(text), color ? Paint::bold : Paint::none) + "\n";
}

std::string step_title(const LedgerStep& step) {
    std::string text = step.table.empty() ? fmt::format("step {}", step.step) : step.table;
    if (!step.name.empty()) text += fmt::format(", step {} {}", step.step, step.name);
    if (step.watch_of != 0) text += fmt::format(", watched by step {}", step.watch_of);
    return "\n" + printable(text) + "\n";
}

void add_row(StreamedTable& table, const DiffRow& row) {
    const BlockRow& change = row.change.row;
    std::string identifier{change.identifier};
    if (!change.new_identifier.empty()) identifier += fmt::format(", now {}", change.new_identifier);
    const std::string_view action = action_name(change.action);
    Cell key{identifier, Paint::bold}, what{std::string{action}, action_paint(action)};
    if (row.differences.empty()) table.add({std::move(key), std::move(what)});
    for (const Difference& difference : row.differences) {
        table.add({std::move(key),
                   std::move(what),
                   {std::string{difference.column}},
                   before_cell(difference.before),
                   after_cell(difference.after)});
        key = what = {};
    }
}

}  // namespace

void write_diff_text(const LedgerReader& ledger, const LedgerRun& run, const DiffFilter& filter,
                     ChangeStyle style, const Write& write) {
    DiffReader reader(ledger, run, filter);
    write(title(run, style.color) + counts_text(run.rows) + "\n" + gaps_text(ledger, run, reader.steps()));
    const TableStyle table_style{2, style.full ? 0 : TableStyle{}.widest, style.color};
    std::unique_ptr<StreamedTable> table;
    int step = 0;
    const std::uint64_t shown = reader.each([&](const DiffRow& row) {
        if (row.step.step != step) {
            if (table) table->flush();
            step = row.step.step;
            write(step_title(row.step));
            table = std::make_unique<StreamedTable>(
                std::vector<std::string>{"identifier", "action", "column", "before", "after"}, table_style,
                write);
        }
        add_row(*table, row);
    });
    if (table) table->flush();
    if (shown == 0) write("\nno row to show\n");
    if (filter.limit != 0 && shown == filter.limit)
        write(fmt::format("\nthe first {}: there may be more\n", counted(shown, "row")));
}

}  // namespace datachange
