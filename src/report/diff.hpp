#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/csv/step_layout.hpp"
#include "record/ledger/ledger_reader.hpp"
#include "report/ledger_report.hpp"
#include "report/streamed_table.hpp"

namespace datachange {

/// Which rows of a run are shown. What is empty narrows nothing.
struct DiffFilter {
    std::string table;                    ///< regardless of case and quotes, with or without schema
    std::string step;                     ///< number or name
    std::vector<std::string> columns;     ///< rows in which one of these has changed, and these columns alone
    std::vector<std::string> actions;     ///< by default updated, inserted, deleted
    std::string identifier;               ///< the old or the new one; of several columns a JSON array
    std::optional<std::string> from, to;  ///< identifiers of one column, both bounds within
    std::uint64_t limit = 0;              ///< rows
};

/// A column of a row that has changed; JSON of its values, empty: there is none.
struct Difference {
    std::string_view column, before, after;
};

/// A row of a run; all in it lives until the next one.
struct DiffRow {
    const LedgerStep& step;
    const ChangeRow& change;
    /// Updated: columns of both images whose values are not the same. Else all columns of the image there is.
    const std::vector<Difference>& differences;
};

/// Goes through the rows of a run in the order of the CSV files; none but the block in hand is in memory.
class DiffReader {
public:
    /// @throws Error (usage) if the filter names what is not there
    DiffReader(const LedgerReader& ledger, const LedgerRun& run, DiffFilter filter);

    /// The steps that are gone through.
    const std::vector<LedgerStep>& steps() const { return m_steps; }

    /// Calls show(DiffRow) for each row that the filter lets through.
    /// @return how many these were
    template <class Show>
    std::uint64_t each(Show show) {
        std::uint64_t shown = 0;
        for (const LedgerStep& step : m_steps) {
            begin(step);
            ChangeReader rows =
                m_ledger.changes(m_run.run, step.step, ChangeReader::Order::recorded, m_identifier);
            while (const ChangeRow* row = rows.next()) {
                if (!keeps(step, *row)) continue;
                show(DiffRow{step, *row, m_differences});
                if (++shown == m_filter.limit) return shown;
            }
        }
        return shown;
    }

private:
    void begin(const LedgerStep& step);
    bool keeps(const LedgerStep& step, const ChangeRow& row);
    bool names(std::string_view identifier) const;
    void compare(const LedgerStep& step, const ChangeRow& row);
    bool wanted(const std::string& column) const;

    const LedgerReader& m_ledger;
    const LedgerRun& m_run;
    DiffFilter m_filter;
    std::vector<LedgerStep> m_steps;
    std::string m_identifier;  ///< as the ledger writes it for the step in hand
    std::vector<StepLayout::Shared> m_shared;
    std::vector<Difference> m_differences;
};

/// As text for people, aligned, one line a changed column.
void write_diff_text(const LedgerReader& ledger, const LedgerRun& run, const DiffFilter& filter,
                     ChangeStyle style, const Write& write);
/// As a JSON array, one row a line.
void write_diff_json(const LedgerReader& ledger, const LedgerRun& run, const DiffFilter& filter,
                     const Write& write);

}  // namespace datachange
