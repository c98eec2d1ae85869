#pragma once

#include <optional>
#include <vector>

#include "capture/capture.hpp"
#include "definition/definition.hpp"
#include "target/target.hpp"

namespace datachange {

/// Whether RETURNING may stand for post in the step's batches, as far as its text and the catalog tell: one
/// statement on `table` that returns plain columns of it, a post that is derived or reads plain columns of
/// the affected rows, an identifier that is unique in the table, and no watched tables.
///
/// @param pre the columns of pre. @param capture all but its returned_post.
/// @param scope for describing post.
std::optional<ReturnedPost> returned_post(Target& target, const Step& step, const TableInfo& table,
                                          const std::vector<Column>& pre, const CaptureSpec& capture,
                                          const Scope& scope);

}  // namespace datachange
