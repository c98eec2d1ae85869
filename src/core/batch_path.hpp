#pragma once

#include <string>

namespace datachange {

/// The order of batches by path: "2" before "10", "7" before "7.1" before "7.2" before "8".
bool batch_path_less(const std::string& a, const std::string& b);

}  // namespace datachange
