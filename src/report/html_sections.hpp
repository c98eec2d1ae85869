#pragma once

#include <cstdint>
#include <string>

#include "report/exported_run.hpp"

namespace datachange {

// The parts of the HTML report that need no script; "" where there is nothing to say.

std::string html_badges(const ExportedRun& run);
std::string html_warnings(const ExportedRun& run);
std::string html_cards(const ExportedRun& run);
std::string html_facts(const ExportedRun& run);
std::string html_summaries(const ExportedRun& run);
/// Counts by table, where there are several.
std::string html_steps(const ExportedRun& run);
std::string html_besides(const ExportedRun& run);
std::string html_failures(const ExportedRun& run);
/// Who had to agree, and did.
std::string html_approvals(const ExportedRun& run);
/// That the run was resumed, taken over, and the like.
std::string html_events(const ExportedRun& run);
/// The first rows as a table, for print and for who has no JavaScript. @param all rows of the run
std::string html_first_changes(const ExportedRun& run, std::uint64_t all);
std::string html_footer(const ExportedRun& run);

}  // namespace datachange
