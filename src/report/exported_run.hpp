#pragma once

#include <functional>
#include <string>
#include <vector>

#include "record/csv/step_layout.hpp"
#include "record/ledger/ledger_reader.hpp"

namespace datachange {

/// All that the ledger has of one run, save the rows, which are read as they are written.
struct ExportedRun {
    /// @param ledger outlives this; what is read of it from here on is of one state
    ExportedRun(LedgerReader& ledger, const std::string& which);

    LedgerReader& ledger;
    LedgerRun run;
    std::string definition;
    std::vector<LedgerStep> steps;  ///< watched tables among them, behind the steps
    std::vector<LedgerBatch> batches;
    std::vector<LedgerSummary> summaries;
    std::vector<LedgerCollateral> collateral;  ///< summed up by step and table
    std::vector<LedgerFailure> failures;
    std::vector<LedgerElsewhere> elsewhere;
    std::vector<LedgerApproval> approvals;
    std::vector<LedgerEvent> events;

    /// Over the committed batches.
    RowCounts rows_of(const LedgerStep& step) const;
    /// Rows that could not be changed up to now.
    std::uint64_t open_failures() const;
    /// JSON array of objects; "" where there is none.
    std::string summary(int step, const std::string& moment) const;
    /// What the CSV files of a step begin with.
    std::string csv_prefix_of(const LedgerStep& step) const;
    /// "users", "names (users)" for a step with a name, "users (watched)".
    static std::string title_of(const LedgerStep& step);
    /// Why there are no rows to show; "" where there are.
    std::string why_no_rows() const;
    /// Whole sentences on what a reader must know before trusting the rest: failures, batches elsewhere or
    /// lost, rows that were missed, an incomplete witness, values that were redacted or pruned.
    std::vector<std::string> warnings() const;
};

/// A value that a row had before or after, as JSON; "" where there is none.
struct ChangedValue {
    std::string_view column, before, after;
};

/// The columns of a row that differ, as diff.csv has them; all of an inserted or deleted row. Unchanged and
/// missing rows have none.
void each_changed_value(const ChangeRow& row, const StepLayout& layout,
                        const std::function<void(const ChangedValue&)>& take);

}  // namespace datachange
