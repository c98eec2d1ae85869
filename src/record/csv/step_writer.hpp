#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datachange/run.hpp"
#include "record/csv/csv_file.hpp"
#include "record/csv/run_folder.hpp"
#include "record/csv/step_layout.hpp"
#include "record/ledger/block.hpp"

namespace datachange {

/// The CSV files of one step: where they will be, and the files themselves, complete and without their names
/// yet. No files: all empty.
struct StepCsv {
    CsvPaths paths;
    std::vector<std::unique_ptr<CsvFile>> files;
};

/// Writes the CSV files of one step; rows are handed in in their order. A watched table has no change.csv.
///
/// All methods throw Error (unreachable) if a file cannot be written.
class StepWriter {
public:
    /// @param prefix of the files' names, "" or "1_users."
    StepWriter(StepLayout layout, const RunFolder& folder, const std::string& prefix);

    const StepLayout& layout() const { return m_layout; }
    void write(const BlockRow& row);
    StepCsv complete();

private:
    using Cells = std::vector<std::string_view>;
    using File = std::unique_ptr<CsvFile>;

    const std::vector<std::string>& or_identifier(const std::vector<std::string>& names) const;
    void read_before(const BlockRow& row);
    void read_after(const BlockRow& row);
    std::string_view quoted(std::string_view text);
    void write_returned(const BlockRow& row);
    void write_derived(const BlockRow& row, std::size_t statement);
    void write_change(const StepLayout::Returned& returned);
    void write_diff(const BlockRow& row);
    bool write_differences(const BlockRow& row, bool alike_too);
    bool reads_alike(std::string_view before, std::string_view after);
    void write_difference(const BlockRow& row, const std::string& column, std::string_view before,
                          std::string_view after);

    StepLayout m_layout;
    File m_pre, m_post, m_diff, m_change;
    // kept for their memory
    Cells m_before, m_after, m_entries, m_entry, m_values, m_line;
    std::string m_quoted, m_field;
};

}  // namespace datachange
