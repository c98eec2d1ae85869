#pragma once

#include <optional>
#include <string>
#include <vector>

#include "target/target.hpp"

namespace datachange {

/// The post section that a definition leaves out: SELECT of pre's columns that the table has, by :affected.
/// @throws Error (usage) without a table, or if the identifier is no column of it.
SqlTemplate derive_post(const std::optional<TableInfo>& table, const std::vector<Column>& pre,
                        const std::vector<std::string>& identifier);

}  // namespace datachange
