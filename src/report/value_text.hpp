#pragma once

#include <string>
#include <string_view>

#include "report/streamed_table.hpp"

namespace datachange {

/// A value in the ledger's JSON as people read it: NULL, true, 42, "text" in quotes but not escaped, and for
/// what JSON has no form of, its kind and digits: `blob 00ff`, `real inf`, `hmac 8f14...`.
std::string value_text(std::string_view json);

/// Before and after as they are coloured; NULL is faint. @param json empty: there is no value
Cell before_cell(std::string_view json);
Cell after_cell(std::string_view json);

/// The colour of updated, inserted, deleted, ...
Paint action_paint(std::string_view action);

}  // namespace datachange
