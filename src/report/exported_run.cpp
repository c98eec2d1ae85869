#include "report/exported_run.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "record/csv/run_folder.hpp"

namespace datachange {

namespace {

std::vector<LedgerCollateral> summed(const std::vector<LedgerCollateral>& recorded) {
    std::vector<LedgerCollateral> sums;
    for (const LedgerCollateral& one : recorded) {
        const auto sum = std::find_if(sums.begin(), sums.end(), [&](const LedgerCollateral& other) {
            return other.step == one.step && other.rows.table == one.rows.table;
        });
        if (sum == sums.end()) {
            sums.push_back(one);
            continue;
        }
        sum->rows.inserted += one.rows.inserted;
        sum->rows.updated += one.rows.updated;
        sum->rows.deleted += one.rows.deleted;
        sum->rows.truncated = sum->rows.truncated || one.rows.truncated;
    }
    return sums;
}

LedgerReader& held(LedgerReader& ledger) {
    ledger.hold();
    return ledger;
}

void add_batch_warnings(const std::vector<LedgerBatch>& batches, std::vector<std::string>& out) {
    std::uint64_t lost = 0, doubtful = 0;
    std::string witness;
    for (const LedgerBatch& batch : batches) {
        if (batch.state == "lost") ++lost;
        if (batch.state != "committed" || batch.witness.empty() || batch.witness == "complete") continue;
        if (doubtful++ == 0) witness = batch.witness;
    }
    if (lost > 0)
        out.push_back(counted(lost, "batch") +
                      " had been committed and got lost: the target was restored, or failed over.");
    if (doubtful > 0)
        out.push_back(fmt::format("The database's own count of what was touched: {} ({} of {}).", witness,
                                  with_thousands(doubtful), counted(batches.size(), "batch")));
}

}  // namespace

ExportedRun::ExportedRun(LedgerReader& ledger_, const std::string& which)
    : ledger(held(ledger_)),
      run(ledger.run(which)),
      definition(ledger.definition(run.run)),
      steps(ledger.steps(run.run)),
      batches(ledger.batches(run.run)),
      summaries(ledger.summaries(run.run)),
      collateral(summed(ledger.collateral(run.run))),
      failures(ledger.failures(run.run)),
      elsewhere(ledger.elsewhere(run.run)),
      approvals(ledger.approvals(run.run)),
      events(ledger.events(run.run)) {
}

RowCounts ExportedRun::rows_of(const LedgerStep& step) const {
    RowCounts rows;
    for (const LedgerBatch& batch : batches) {
        if (batch.step == step.step && batch.state == "committed") rows += batch.rows;
    }
    return rows;
}

std::uint64_t ExportedRun::open_failures() const {
    return static_cast<std::uint64_t>(
        std::count_if(failures.begin(), failures.end(),
                      [](const LedgerFailure& failure) { return failure.resolved_at.empty(); }));
}

std::string ExportedRun::summary(int step, const std::string& moment) const {
    for (const LedgerSummary& summary : summaries) {
        if (summary.step == step && summary.moment == moment) return summary.result;
    }
    return {};
}

std::string ExportedRun::csv_prefix_of(const LedgerStep& step) const {
    const auto count = std::count_if(steps.begin(), steps.end(),
                                     [](const LedgerStep& other) { return other.watch_of == 0; });
    return csv_prefix(step.step, step.watch_of, step.name, step.table, static_cast<std::size_t>(count));
}

std::string ExportedRun::title_of(const LedgerStep& step) {
    if (step.watch_of != 0) return step.table + " (watched)";
    if (step.table.empty()) return step.name.empty() ? fmt::format("step {}", step.step) : step.name;
    return step.name.empty() ? step.table : fmt::format("{} ({})", step.name, step.table);
}

std::string ExportedRun::why_no_rows() const {
    if (run.dry_run) return "a dry run: everything was rolled back, and nothing is kept of its rows";
    if (!run.pruned_at.empty())
        return fmt::format("its values were pruned from the ledger at {}; counts and hashes are kept",
                           run.pruned_at);
    const bool counts_only =
        !steps.empty() && std::all_of(steps.begin(), steps.end(),
                                      [](const LedgerStep& step) { return step.evidence == "counts"; });
    return counts_only ? "its definition keeps counts alone (evidence: counts)" : "";
}

std::vector<std::string> ExportedRun::warnings() const {
    std::vector<std::string> out;
    if (const std::uint64_t open = open_failures(); open > 0)
        out.push_back(counted(open, "row") + " could not be changed.");
    if (run.rows.missing > 0)
        out.push_back("Found by pre, and not changed (missing): " + counted(run.rows.missing, "row") + ".");
    add_batch_warnings(batches, out);
    if (!elsewhere.empty())
        out.push_back(fmt::format("Evidence that is in another ledger ({}): of {}.", elsewhere.front().ledger,
                                  counted(elsewhere.size(), "batch")));
    for (const LedgerStep& step : steps) {
        if (!step.redacted.empty())
            out.push_back(fmt::format("Of {} in {} only digests are kept (redacted).",
                                      join(step.redacted, ", "), title_of(step)));
    }
    if (const std::string why = why_no_rows(); !why.empty()) out.push_back("No rows are shown: " + why + ".");
    return out;
}

void each_changed_value(const ChangeRow& row, const StepLayout& layout,
                        const std::function<void(const ChangedValue&)>& take) {
    const RowImages::Cells& before = row.images->before();
    const RowImages::Cells& after = row.images->after();
    if (row.row.action == Action::unchanged || row.row.action == Action::missing) return;
    if (before.empty()) {
        for (std::size_t i = 0; i < after.size(); ++i) take({layout.after[i], {}, after[i]});
    } else if (after.empty()) {
        for (std::size_t i = 0; i < before.size(); ++i) take({layout.before[i], before[i], {}});
    } else {
        for (const StepLayout::Shared& column : layout.shared) {
            if (column.identifier && row.row.new_identifier.empty()) continue;
            if (before[column.before] != after[column.after])
                take({column.name, before[column.before], after[column.after]});
        }
    }
}

}  // namespace datachange
