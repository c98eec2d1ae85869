#pragma once

#include <string>

#include "datachange/run.hpp"

namespace datachange {

/// What `run` prints at the end, for people; ends with a newline.
std::string run_text(const RunResult& result);

/// What `run --json` prints: one object, as documented in the README.
std::string run_json(const RunResult& result);

/// The fields of RowCounts as a JSON object.
std::string counts_json(const RowCounts& counts);

/// Two summaries (JSON arrays of objects) side by side: one row a column and summary row; empty if there is
/// none.
std::string summary_table(const std::string& before, const std::string& after, std::size_t indent);

}  // namespace datachange
