#pragma once

#include <cstdint>

#include "report/export_output.hpp"
#include "report/exported_run.hpp"

namespace datachange {

/// The run as one HTML file that asks nothing of the network: all but the table of changes is there without
/// JavaScript. Its Content-Security-Policy lets nothing run or load but its own script and style, by their
/// hashes; values of the database are text in it, whatever they say.
/// @param limit rows at most; what is left out is said
void export_html(const ExportedRun& run, std::uint64_t limit, Output& to);

}  // namespace datachange
