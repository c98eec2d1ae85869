#pragma once

#include <cstdint>

#include "report/export_output.hpp"
#include "report/exported_run.hpp"

namespace datachange {

/// What of a run's rows stands in the report.
struct HtmlRows {
    std::uint64_t written = 0;
    std::uint64_t all = 0;
    bool too_many_bytes = false;  ///< the reason for what is left out: not their number, but their size
};

/// Writes the rows of a run as the data of the HTML report, compact JSON that can stand in a <script>:
///   tables    title, and columns: [name, place before, place after, of the identifier], -1: not there
///   actions   their names, by number; changing: those that have values before or after to be shown
///   rows      [table, action, identifier, new identifier or 0, values before or 0, values after, 0, or 1 for
///   the
///             same]; a value after that is as before is []
/// Numbers that JavaScript cannot hold exactly are {"$n":"digits"}, and a value longer than 32 KiB is
/// [its beginning, bytes].
/// @param limit rows at most; they end before it where they would make more than 64 MiB
HtmlRows write_html_data(const ExportedRun& run, std::uint64_t limit, Output& to);

}  // namespace datachange
