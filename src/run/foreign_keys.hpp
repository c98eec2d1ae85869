#pragma once

#include <string>
#include <vector>

#include "target/target.hpp"

namespace datachange {

/// The order of some tables in which each stands behind those that its foreign keys refer to; as given where
/// the keys say nothing, or refer to each other in a ring.
/// @param tables ids of tables, as TableInfo::id
/// @return their places
std::vector<std::size_t> parents_first(Target& target, const std::vector<std::string>& tables);

}  // namespace datachange
