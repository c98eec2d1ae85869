#pragma once

#include <string>
#include <vector>

#include "record/ledger/ledger_reader.hpp"

namespace datachange {

/// The state of a run as users see it: "stalled" for one that is processing or paused while its process, on
/// this host, is gone; else as recorded.
std::string shown_state(const LedgerRun& run);

/// Lists of runs and rows out of the ledger, as text for people or as JSON; each ends with a newline.
std::string runs_text(const std::vector<LedgerRun>& runs);
std::string runs_json(const std::vector<LedgerRun>& runs);

/// Everything about one run.
std::string show_text(const LedgerReader& ledger, const LedgerRun& run);
std::string show_json(const LedgerReader& ledger, const LedgerRun& run);

/// How changes are shown.
struct ChangeStyle {
    bool color = false;
    bool full = false;  ///< values are not cut
};

/// What happened to a row: under each run the columns that changed.
std::string history_text(const std::vector<HistoryEntry>& entries, ChangeStyle style = {});
std::string history_json(const std::vector<HistoryEntry>& entries);

}  // namespace datachange
