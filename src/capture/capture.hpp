#pragma once

#include <optional>
#include <string>
#include <vector>

#include "capture/batch_capture.hpp"
#include "capture/compare.hpp"
#include "capture/returned_post.hpp"
#include "capture/set_reader.hpp"
#include "target/target.hpp"

namespace datachange {

/// A watched table: one query, captured before and after the change.
struct WatchSpec {
    std::string table;     ///< as the user wrote it
    std::string table_id;  ///< as the witness counts it
    std::vector<std::string> identifier;
    SqlTemplate query;
};

/// A statement of change.
struct ChangeSpec {
    SqlTemplate sql;
    StatementTraits traits;
    bool returns = false;
};

/// What is captured in each batch of one step: the definition's statements, checked against the target.
struct CaptureSpec {
    std::string path;                     ///< of the definition, for the places of errors
    std::string table;                    ///< as the user wrote it, or ""
    std::string table_id;                 ///< as the witness counts it, or ""
    std::vector<std::string> identifier;  ///< names as pre gives them
    std::vector<std::string> identifier_types;
    std::vector<std::string> range_types;
    SqlTemplate pre;
    std::vector<ChangeSpec> change;
    SqlTemplate post;
    /// Where RETURNING of the one statement may stand for post; then post is read only where the witness has
    /// seen more than the rows returned.
    std::optional<ReturnedPost> returned_post;
    std::vector<WatchSpec> watches;
    bool returning_none = false;
    /// The identifier as columns of `table`, for locking its rows by key; empty: it is not that, or no table
    /// is named.
    std::vector<std::string> table_key;
    bool strict = false;  ///< rows changed beside the audited ones are an error, save in
    std::vector<std::string> expected_collateral;  ///< these tables, as the witness counts them
    bool range_over_identifier = true;             ///< then every audited row lies in the batch's range
};

/// What one batch gave: the step's rows, those of each watched table, and what else was touched.
struct StepCapture {
    BatchCapture rows;
    std::vector<BatchCapture> watches;
    std::vector<Collateral> collateral;
    TouchedTables::Trust witness = TouchedTables::Trust::complete;
    std::string witness_reason;
    std::uint64_t drifted = 0;  ///< key list: rows left out because they are not as they were spooled
    std::vector<std::string> drifted_keys;  ///< examples, at most 5
    std::string missing_example;            ///< identifier of the first row that pre gave and nobody changed
    std::uint64_t conflicting_rows = 0;     ///< undo: rows that were not any more what the run had left
    std::vector<RowConflict> conflicts;     ///< undo: the same, by column
    std::uint64_t not_restored = 0;  ///< undo: rows that are not as they were before the run all the same
    std::string not_restored_example;

    /// Hands the rows over; the counts stay.
    BatchCapture take_rows();
};

/// Rows came back from change that pre did not have. Where rows were locked first, somebody else may have put
/// them into the set meanwhile.
class UnexpectedRows : public Error {
public:
    using Error::Error;
};

/// Runs pre, change, settle, post, compare and witness for one range, in the open transaction.
///
/// @param lock_first locks the rows of pre by key, in key order, before pre is read for good: what READ
/// COMMITTED needs
///        for an exact before-image. Needs spec.table_key.
/// @throws UnexpectedRows; Error (failed) if compare refuses, if `returning: none` and the witness counted
/// other
///         tables, or if `strict` and it did; DatabaseError from the target. The caller rolls back.
StepCapture capture_range(Target& target, const CaptureSpec& spec, const KeyRange& range,
                          bool lock_first = false);

/// The same for a slice of a spooled set: its rows are locked, read again by key from the table, and left out
/// where they have drifted from the spooled image.
StepCapture capture_slice(Target& target, const CaptureSpec& spec, const RowSet& slice);

/// The same for rows that are named by their keys, not all of which need be there: pre, which says :affected,
/// gives those that are, locked. Needs spec.table_key.
StepCapture capture_keys(Target& target, const CaptureSpec& spec, std::vector<Key> keys);

/// The identifier of the first missing row, or "".
std::string first_missing(const BatchCapture& rows);

/// "complete", or "may overcount: why", or "unavailable: why".
std::string witness_text(const StepCapture& capture);

/// pre in key order.
SqlTemplate in_key_order(const SqlTemplate& query, const std::vector<std::string>& identifier);

}  // namespace datachange
