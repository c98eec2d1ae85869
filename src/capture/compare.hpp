#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/batch_capture.hpp"
#include "target/target.hpp"

namespace datachange {

/// How one statement of change may bring rows that pre did not have.
struct StatementTraits {
    std::string verb;           ///< UPDATE, DELETE, INSERT, ...
    bool plain_insert = false;  ///< every row that it returns is a new one
};

/// What compare needs besides the rows.
struct CompareRules {
    std::vector<std::string> identifier;
    std::vector<StatementTraits> statements;  ///< as BatchCapture::returned
    bool reads_outcome_from_post = false;     ///< `returning: none`, and watched tables: nothing is returned
    /// Rows that the witness saw inserted into the table in this batch; nullopt: no witness.
    std::optional<std::int64_t> witnessed_inserts;
};

/// Joins pre, RETURNING and post by identifier and classifies every row; fills capture.rows and
/// capture.counts.
///
/// updated: a column that pre and post share by name differs. unchanged: none does, though the row was
/// returned. missing: in pre, not returned, not different. deleted: in pre, gone in post. inserted: returned,
/// not in pre, by a statement that inserts, and the witness agrees; else unexpected. Values are compared byte
/// by byte, never by the database's idea of equality.
/// @throws Error (failed) that names them: an identifier that is NULL, or twice in pre, in post or in one
/// statement's
///         RETURNING; a duplicate column name; an identifier column that is missing in a set.
void compare(BatchCapture& capture, const CompareRules& rules);

/// The places of the identifier columns in a set.
/// @param section for the message: "pre", "RETURNING of statement 2", ...
std::vector<std::size_t> identifier_columns(const std::vector<Column>& columns,
                                            const std::vector<std::string>& identifier,
                                            const std::string& section);

/// Refuses a set with two columns of one name.
void require_distinct_columns(const std::vector<Column>& columns, const std::string& section);

/// The keys that RETURNING gave, each once, in the order they came; with those of pre this is what :affected
/// means.
std::vector<Key> affected_keys(const BatchCapture& capture, const std::vector<std::string>& identifier);

}  // namespace datachange
