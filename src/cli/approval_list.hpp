#pragma once

#include <string>
#include <vector>

#include "cli/settings.hpp"

namespace datachange {

/// Prints the approvals of a definition and whether each counts for a run that would begin now, on each of
/// the targets. Rows are not compared: that is done when it is run.
/// @return on each target as many count as are required
bool print_approvals(const std::vector<Settings>& scope, const std::string& definition, bool json);

}  // namespace datachange
