#pragma once

#include <string>
#include <vector>

#include "core/row_set.hpp"
#include "plan/plan.hpp"

namespace datachange {

/// Refuses a list of results, of SELECT or RETURNING, that tells something of a redacted column under a name
/// that is not redacted: no engine tells what an expression is made of. count(...) tells no value. What an
/// inner query computes is not seen.
/// @param columns as the engine describes the results; nullptr: not known before they are there, so that
/// plain columns under another name are left to what the engine will tell then
/// @param section that the statement stands in
/// @throws Error (usage) without a place
void require_redacted_expressions(const SqlTemplate& sql, Engine engine, const std::vector<Column>* columns,
                                  const std::string& section);

/// Refuses columns that are redacted by their name in the result alone: where another query calls them as the
/// table does, they would be told.
/// @throws Error (usage) without a place
void require_redacted_by_origin(const std::vector<Column>& columns, const std::vector<std::string>& redact);

/// Refuses keys that are redacted: they name rows, and stand in journal, ledger and messages.
/// @throws Error (usage) without a place
void require_open_key(const std::vector<Column>& key, const std::vector<std::string>& redact);

/// Refuses a name in redact that no query gives, which may be mistyped.
/// @param given columns of all steps' queries
/// @throws Error (usage) with the definition as its place
void require_given(const Plan& plan, const std::vector<Column>& given);

}  // namespace datachange
