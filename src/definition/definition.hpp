#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/sql_template.hpp"
#include "datachange/run.hpp"

namespace datachange {

enum class TransactionWish { automatic, single, batched };  ///< header `transaction`
enum class EvidenceLevel { full, keys, counts };            ///< header `evidence`
enum class OnError { stop, skip };                          ///< header `on-error`
enum class OnMissing { fail, skip };                        ///< header `on-missing`: a column of `requires` is not there

/// Header `expect-rows: 1..5000`, `1..` , `..5000` or `12`.
struct RowBounds {
    std::uint64_t least = 0;
    std::optional<std::uint64_t> most;
};

/// An entry of header `requires`: users.first_name, or app."User".email; table in SQL notation, column bare.
struct RequiredColumn {
    std::string table;
    std::string column;
    SourcePosition at;
};

/// `-- audit:watch TABLE` with its own identifier and one query.
struct Watch {
    std::string table;                    ///< SQL notation
    std::vector<std::string> identifier;  ///< bare names
    SqlTemplate query;
    SourcePosition at;
};

/// One statement of a `change` or `undo` section.
struct ChangeStatement {
    SqlTemplate sql;
    std::string verb;              ///< the deciding keyword, upper case: UPDATE, DELETE, INSERT, REPLACE, MERGE, SELECT, DO, ...
                                   ///< for WITH, that of the main statement
    bool changes_data = false;     ///< INSERT, UPDATE, DELETE, REPLACE, MERGE, TRUNCATE, DO, CALL, or a CTE that does
    bool has_returning = false;    ///< at the statement's own level
    bool plain_insert = false;     ///< INSERT without ON CONFLICT DO UPDATE or OR REPLACE
};

/// One pre/change/post group.
struct Step {
    int number = 1;    ///< from 1, in the order of the file
    std::string name;  ///< of `audit:step NAME`; "" where the file opens no step
    SourcePosition at;

    std::string table;                    ///< SQL notation as written, or ""
    std::vector<std::string> identifier;  ///< bare column names (quotes removed; PostgreSQL: unquoted ones in lower case)
    std::optional<std::uint64_t> batch_size;
    std::optional<RowBounds> expect_rows;
    std::vector<RequiredColumn> required_columns;
    OnMissing on_missing = OnMissing::fail;
    OnError on_error = OnError::stop;
    TransactionWish transaction = TransactionWish::automatic;
    EvidenceLevel evidence = EvidenceLevel::full;
    bool returning_none = false;
    std::string batch_safe;                ///< the reason given, or ""
    std::vector<std::string> collateral;   ///< tables in SQL notation that may change besides
    std::vector<std::string> redact;       ///< bare column names

    std::optional<SqlTemplate> keys, pre, post, summary, verify;
    std::vector<ChangeStatement> change;
    std::vector<ChangeStatement> undo;
    std::vector<Watch> watches;

    bool only_verifies() const { return !pre && change.empty() && verify.has_value(); }
};

/// One file audits/<version>_<name>.sql.
struct Definition {
    std::string path;
    std::string version;  ///< 14 digits
    std::string name;
    std::string text;     ///< the whole file
    std::string sha256;   ///< of the text
    Engine engine = Engine::postgresql;  ///< the dialect that it was read in

    std::string ticket, author, note;
    std::vector<std::string> targets;
    bool repeatable = false;
    bool foreign_keys = true;
    std::vector<Step> steps;
};

/// A file of the definitions folder by its name alone, before anything in it is read.
struct DefinitionFile {
    std::string path;
    std::string version;
    std::string name;
};

/// Takes "<version>_<name>.sql" apart. @throws Error (usage) if the file is not named so.
DefinitionFile definition_file(const std::string& path);

/// All <14 digits>_*.sql of a folder by version. @throws Error (usage) if the folder is not there, or two files have
/// one version.
std::vector<DefinitionFile> list_definitions(const std::string& directory);

/// Finds one by version, by name, by "version_name", or by path; the folder is looked at only if it is no path.
/// @throws Error (usage) "no such definition" with a near one as hint, or if several have the name.
DefinitionFile find_definition(const std::string& directory, const std::string& what);

/// Reads a file. @throws Error (usage) as parse_definition, or if it cannot be read.
Definition read_definition(const DefinitionFile& file, Engine engine);

/// The groups that the header `targets` of a definition's text names; none where it has no such line, or where its
/// header cannot be read (which is told when it is to be run).
std::vector<std::string> targets_of(const std::string& text, Engine engine);

/// Parses a definition. Every mistake is an Error (usage) whose where() is "path:line:column", with a hint.
Definition parse_definition(const DefinitionFile& file, std::string text, Engine engine);

}  // namespace datachange
