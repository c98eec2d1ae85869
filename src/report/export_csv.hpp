#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "record/csv/step_writer.hpp"
#include "report/export_output.hpp"
#include "report/exported_run.hpp"

namespace datachange {

/// How exported CSV differs from the evidence files, which it equals byte for byte otherwise.
struct CsvForm {
    /// For spreadsheets, which take some texts for formulas: see SafeLines.
    bool safe = false;
    bool gzip = false;
    /// Bytes that a file may have, before compression; a header and one record are always in it. 0: any.
    std::uint64_t split = 0;
};

/// Guards against spreadsheet formulas, after OWASP's advice on CSV injection: a field that begins with
/// = + - @, one of their full-width forms ＝ ＋ － ＠, TAB, CR or LF gets an apostrophe before it and stands
/// in quotes; so does one with TAB or ; in it, which some spreadsheets take for separators, but without the
/// apostrophe. A negative number (-5, -0.5, -1.0e+300) is left as it is.
class SafeLines final : public CsvLines {
public:
    explicit SafeLines(CsvLines& to) : m_to(to) {}
    void write_line(std::span<const std::string_view> fields) override;

private:
    CsvLines& m_to;
    std::vector<std::string> m_memory;
    std::vector<std::string_view> m_fields;
};

/// Lines as files of a limited size, each of which has the header.
class PartedLines final : public CsvLines {
public:
    /// @param open gives the output of a part, counted from 1; it outlives this
    PartedLines(const CsvForm& form, std::function<Output&(int part)> open);

    void write_line(std::span<const std::string_view> fields) override;
    void finish();

private:
    void next_part();

    CsvForm m_form;
    std::function<Output&(int part)> m_open;
    std::string m_header, m_line;
    int m_part = 0;
    std::uint64_t m_bytes = 0;  ///< of the part in hand
    Output* m_output = nullptr;
    std::unique_ptr<Output> m_gzip;
};

/// The name of a part: "diff.csv", "diff.001.csv" where files are split, "diff.001.csv.gz".
std::string part_name(const std::string& name, int part, const CsvForm& form);

/// One CSV file of a step.
/// @param file pre | change | post | diff
/// @throws Error (usage) if the step has no such file; (failed) if there are no rows to export
void export_csv(const ExportedRun& run, const LedgerStep& step, const std::string& file, const CsvForm& form,
                std::function<Output&(int part)> open);

/// All CSV files of a step at once.
/// @param open gives the output of a part of a file (pre, change, post, diff)
void export_step_csv(const ExportedRun& run, const LedgerStep& step, const CsvForm& form,
                     const std::function<Output&(const std::string& file, int part)>& open);

/// The step whose table or name somebody gave; "" where the run has only one.
/// @throws Error (usage) that says which there are
const LedgerStep& choose_step(const ExportedRun& run, const std::string& table);

}  // namespace datachange
