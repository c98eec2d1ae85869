#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "capture/capture.hpp"
#include "capture/whole_step.hpp"
#include "core/row_set.hpp"
#include "datachange/undo.hpp"
#include "target/target.hpp"

namespace datachange {

/// A column of a table whose rows are put back.
struct UndoColumn {
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);

    std::string name;                         ///< in the table
    std::string type;                         ///< as Column::type
    std::size_t before = npos, after = npos;  ///< where its values stand in the images; npos: in none of them
    bool generated = false;                   ///< by the database: read and compared, never written
};

/// How the rows of one table are put back.
struct UndoSpec {
    std::vector<UndoColumn> columns;  ///< those of the key first, in its order
    std::size_t key_width = 0;
    bool renames = false;     ///< the run altered keys
    bool whole_rows = false;  ///< every column that can be written has a value in `before`
    OnConflict on_conflict = OnConflict::stop;
};

/// The columns in front of a row's values in the images of an undo: its place in the order in which rows are
/// put back, from 1, and what the run did to it.
inline constexpr std::size_t undo_place = 0, undo_action = 1, undo_values = 2;

/// Rows are not any more what the run had left, and `stop` was asked for.
class ConflictsFound : public Error {
public:
    ConflictsFound(std::uint64_t rows, std::vector<RowConflict> conflicts);
    const std::vector<RowConflict>& conflicts() const { return m_conflicts; }

private:
    std::vector<RowConflict> m_conflicts;
};

/// "users id 5, name: before ..., after ..., live ..." for the first of some conflicts, a line each.
std::string conflicts_text(const std::vector<RowConflict>& conflicts);

/// Puts rows back that a run had changed, in the open transaction: locks them by key, compares each with the
/// image that the run left, byte by byte, and gives it the image that the run found. Fewer rows than the
/// images have are touched where rows are so already, or are in conflict.
///
/// @param images rows in the order in which they are to be put back; a key may come several times
/// @return everything but the rows, which the taker gets
/// @throws ConflictsFound; Error (failed) if a key names several rows, or if rows that the run never had
/// would be
///         deleted by cascades; DatabaseError. The caller rolls back.
StepCapture capture_undo(Target& target, const CaptureSpec& spec, const UndoSpec& undo, const RowSet& images,
                         RowTaker& taker);

/// Adds what another piece of a step gave.
void add_undone(StepCapture& sum, StepCapture part);

/// Only looks for rows that are not any more what the run had left, without locks.
std::vector<RowConflict> find_conflicts(Target& target, const CaptureSpec& spec, const UndoSpec& undo,
                                        const RowSet& images);

/// The traits of the three statements that put rows back, in the order of BatchCapture::returned.
std::vector<ChangeSpec> undo_statements();

}  // namespace datachange
