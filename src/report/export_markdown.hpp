#pragma once

#include <cstdint>

#include "report/export_output.hpp"
#include "report/exported_run.hpp"

namespace datachange {

/// A summary for the ticket: who, what and where, counts, the summaries side by side, what was changed
/// besides, failures, warnings, the head hash, and the first changes.
/// @param limit changed values that are shown at most
void export_markdown(const ExportedRun& run, std::uint64_t limit, Output& to);

/// Text of how long a run took, "1.88 s" or "2 h 03 min"; "" while it goes on.
std::string duration_text(const LedgerRun& run);

}  // namespace datachange
