#pragma once

#include <string>
#include <vector>

#include "datachange/run.hpp"
#include "migrate/schema_file.hpp"

namespace datachange {

/// One statement of a schema migration.
struct SchemaStatement {
    std::string sql;  ///< as it stands in the file, without its semicolon
    SourcePosition at;
    /// SQLite: it cannot break a foreign key, neither of a row that is there nor of one that it brings.
    bool keeps_foreign_keys = false;
    bool builds_index_concurrently = false;
    std::string
        taken_back_by;  ///< of SET LOCAL ROLE: what makes the session's own role write the journal; else ""
};

/// Takes a schema migration apart.
/// @throws Error (usage) with file:line:column for what cannot be executed one by one (strings and bodies
/// that do not end, psql's own commands), what would end or leave the transaction, what would alter the
/// session, a header that is wrong, a definition, another tool's part for going back, and a file without
/// statements
std::vector<SchemaStatement> schema_statements(const SchemaFile& file, Engine engine);

}  // namespace datachange
