#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace datachange {

/// Two summaries side by side, as cells of text.
///
/// Of one row each: a row for each column, with its name, the value before and the value after. Else a row
/// for each row of the summaries: the first column names it (count by state, say), and each other column has
/// two cells, before and after.
struct SummaryGrid {
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;  ///< as long as the header
    std::size_t left_out = 0;                    ///< rows that were too many
};

/// @param before, after JSON arrays of objects; "": there is none. No rows without a summary.
SummaryGrid summary_grid(const std::string& before, const std::string& after);

}  // namespace datachange
