#pragma once

#include <string>
#include <vector>

#include "report/version_matrix.hpp"

namespace datachange {

/// States of versions as labels: those that a target has none of are exported as 0. "undoing" is any undo
/// that has not ended.
extern const std::vector<std::string> exported_states;

/// The state of targets in Prometheus's text format (version 0.0.4), as the textfile collector of
/// node_exporter reads it: datachange_target_up, datachange_definitions by state,
/// datachange_last_success_timestamp_seconds, datachange_rows_changed_total. What is not known of a target is
/// left out, and is not 0.
std::string prometheus_text(const std::vector<TargetVersions>& targets);

/// Puts a file in place as a whole, readable by all (0644): who reads it meanwhile sees the old one.
/// @throws Error (failed) if it cannot be written; the old one, if there is one, stays
void replace_file(const std::string& path, const std::string& text);

}  // namespace datachange
