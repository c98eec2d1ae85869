#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datachange/run.hpp"
#include "record/csv/csv_file.hpp"
#include "record/csv/run_folder.hpp"
#include "record/csv/step_layout.hpp"
#include "record/ledger/row_images.hpp"

namespace datachange {

/// The CSV files of one step: where they will be, and the files themselves, complete and without their names
/// yet. No files: all empty.
struct StepCsv {
    CsvPaths paths;
    std::vector<std::unique_ptr<CsvFile>> files;
};

/// Where the lines of each file of a step go; nullptr: they are not wanted.
struct StepLines {
    CsvLines* pre = nullptr;
    CsvLines* change = nullptr;
    CsvLines* post = nullptr;
    CsvLines* diff = nullptr;
};

/// Writes the CSV files of one step; rows are handed in in their order. A watched table has no change.csv.
///
/// All methods throw Error (unreachable) if a file cannot be written.
class StepWriter {
public:
    using File = std::unique_ptr<CsvFile>;
    /// Gives the file of a name: "pre.csv", "change.csv", "post.csv" or "diff.csv".
    using Open = std::function<File(const std::string& name)>;

    /// @param prefix of the files' names, "" or "1_users."
    StepWriter(StepLayout layout, const RunFolder& folder, const std::string& prefix)
        : StepWriter(std::move(layout), files_in(folder, prefix)) {}
    StepWriter(StepLayout layout, const Open& open);
    /// Writes to elsewhere, which outlives the writer.
    StepWriter(StepLayout layout, const StepLines& lines);
    static Open files_in(const RunFolder& folder, const std::string& prefix);

    const StepLayout& layout() const { return m_layout; }
    void write(const BlockRow& row, const RowImages& images);
    /// The files, where they are the writer's own.
    StepCsv complete();
    /// Of files that are held against others: some of what was written up to now does not stand there.
    bool differs();

private:
    using Fields = std::vector<std::string_view>;

    /// The values of one image as they stand in a line.
    struct Line {
        Fields fields;
        std::vector<std::string> memory;  ///< of fields that are not as in JSON

        void set(const Fields& json);
    };

    void write_headers();
    const std::vector<std::string>& or_identifier(const std::vector<std::string>& names) const;
    void read(const RowImages& images);
    void write_returned(const BlockRow& row);
    void write_derived(const BlockRow& row, std::size_t statement);
    void write_change(const StepLayout::Returned& returned);
    void write_diff(const BlockRow& row, const RowImages& images);
    bool write_differences(const BlockRow& row, const RowImages& images, bool alike_too);
    void write_difference(std::string_view column, std::string_view before, std::string_view after);

    StepLayout m_layout;
    std::vector<std::string> m_before_names, m_after_names;  ///< as CSV
    File m_pre_file, m_post_file, m_diff_file, m_change_file;
    StepLines m_lines;
    // kept for their memory
    Line m_before, m_after, m_returned;
    Fields m_entries, m_entry, m_values, m_line;
    std::array<std::string_view, 5> m_difference;  ///< a line of diff.csv
    std::string m_identifier;
};

}  // namespace datachange
