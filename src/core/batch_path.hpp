#pragma once

#include <set>
#include <string>

namespace datachange {

/// The order of batches by path: "2" before "10", "7" before "7.1" before "7.2" before "8".
bool batch_path_less(const std::string& a, const std::string& b);

/// A path for a batch that comes behind `after` ("" for none) and before `before` ("": nothing follows), as
/// short as can be: "8" behind "7.2", "7.2" between "7.1" and "8", "6.1" between "6" and "7", "0.1" before
/// "1".
/// @param taken paths that must not be used
std::string batch_path_between(const std::string& after, const std::string& before,
                               const std::set<std::string>& taken = {});

}  // namespace datachange
