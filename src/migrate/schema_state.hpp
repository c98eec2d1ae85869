#pragma once

#include <string>
#include <vector>

#include "migrate/schema_file.hpp"
#include "migrate/schema_journal.hpp"
#include "run/version_state.hpp"

namespace datachange {

/// What has become of a schema migration on a target, of kind "schema": pending; processing, stalled, failed,
/// stopped (not all statements of a file that is not one transaction); done; edited (done, and the file is
/// not what was applied); marked (done by hand or elsewhere).
/// @param file nullptr: there is none; @param row nullptr: the journal knows nothing of it
VersionState schema_state(Target& target, const SchemaFile* file, const SchemaRow* row,
                          const std::vector<Mark>& marks);

/// Every schema migration that has a file or a row in the journal, by version.
std::vector<VersionState> schema_states(Target& target, const std::vector<SchemaFile>& files,
                                        const std::vector<Mark>& marks);

/// Definitions and schema migrations in one order. A version that is known as a schema migration is none of
/// the definitions without a file (which marks alone may have made of it).
/// @param with_schema false: schema migrations are left out
std::vector<VersionState> in_one_order(std::vector<VersionState> data,
                                       const std::vector<VersionState>& schema, bool with_schema);

}  // namespace datachange
