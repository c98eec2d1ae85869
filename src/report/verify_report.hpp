#pragma once

#include <string>

#include "record/ledger/verify.hpp"

namespace datachange {

/// What verify has found, as text for people or as JSON; each ends with a newline.
/// @param path of the ledger
std::string verify_text(const std::string& path, const VerifyReport& report);
std::string verify_json(const std::string& path, const VerifyReport& report);

}  // namespace datachange
