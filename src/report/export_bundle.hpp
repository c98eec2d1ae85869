#pragma once

#include <cstdint>

#include "report/archive.hpp"
#include "report/export_csv.hpp"
#include "report/exported_run.hpp"

namespace datachange {

struct BundleOptions {
    ArchiveKind kind = ArchiveKind::zip;
    CsvForm csv;
    std::uint64_t summary_limit = 0;  ///< changed values in summary.md
    std::uint64_t report_limit = 0;   ///< rows in report.html
};

/// The whole evidence of a run for a ticket: the CSV files, definition.sql, summary.md, report.html, approvals, and
/// manifest.json, which lists the others with their bytes and SHA-256. The same run gives the same bytes:
/// times are that of the run's end, names are in order.
///
/// All members are written to temporary files first, for their size stands before them in the archive.
void export_bundle(const ExportedRun& run, const BundleOptions& options, Output& to);

/// The manifest's text: what the run is, and its files.
class Manifest {
public:
    explicit Manifest(const ExportedRun& run) : m_run(run) {}
    void add(const std::string& name, std::uint64_t bytes, const std::string& sha256);
    /// One JSON object, as documented in the README.
    std::string text() const;

private:
    const ExportedRun& m_run;
    std::vector<std::string> m_files;
};

}  // namespace datachange
