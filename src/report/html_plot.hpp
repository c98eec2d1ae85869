#pragma once

#include <string>
#include <vector>

#include "record/ledger/ledger_reader.hpp"

namespace datachange {

/// Two plots of a run's committed batches, as HTML with inline SVG: rows changed over time, and how long each
/// batch took. "" where there are fewer than two, for they would tell nothing.
std::string html_plots(const std::vector<LedgerBatch>& batches);

}  // namespace datachange
