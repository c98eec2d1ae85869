#pragma once

#include <string>
#include <vector>

#include "definition/definition.hpp"

namespace datachange {

/// One file <version>_<name>.sql of the folder of schema migrations: plain SQL that is applied once, and not
/// audited.
struct SchemaFile {
    std::string version;  ///< 14 digits, of the same space as those of definitions
    std::string name;
    std::string path;
    std::string sha256;  ///< of the text
    std::string text;    ///< the whole file
    /// All of it in one transaction. Not so where a comment before the first statement says `-- transaction:
    /// no`.
    bool transactional = true;
};

/// The schema migrations of a folder by version. What is wrong within a file is told by schema_statements().
/// @throws Error (usage) if the folder is not there, a file is not named so or cannot be read, or two have
/// one version
std::vector<SchemaFile> list_schema_files(const std::string& directory);

/// @throws Error (usage) that names both files where a version is that of a schema migration and of a
/// definition
void require_one_version_space(const std::vector<DefinitionFile>& definitions,
                               const std::vector<SchemaFile>& schema);

/// The schema migrations that stand beside a folder of definitions; none where `schema_directory` is "".
/// @throws Error (usage) as both of them
std::vector<SchemaFile> schema_files_beside(const std::string& definitions_directory,
                                            const std::string& schema_directory);

}  // namespace datachange
