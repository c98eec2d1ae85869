#pragma once

#include <optional>
#include <string>
#include <vector>

#include "capture/batch_capture.hpp"
#include "core/row_set.hpp"
#include "target/target.hpp"

namespace datachange {

/// What a column makes of a value that is stored in it. SQLite's columns convert by their declared type, so a
/// value that RETURNING gives is only trusted where the column would leave it alone.
enum class Storage { exact, text, numeric, real };

/// The storage of a column that is declared so, by the rules of SQLite's column affinity
/// (https://www.sqlite.org/datatype3.html#determination_of_column_affinity).
Storage storage_of(const std::string& declared_type);

/// True if a value of this kind and form is stored as it is.
bool is_stored_as_is(ValueView value, Storage storage);

/// Said of a step whose one statement returns plain columns of its table, and whose `post` reads plain
/// columns of the same rows: then RETURNING may stand for post, if the witness agrees.
struct ReturnedPost {
    std::vector<Column> columns;   ///< of post, as reading it gives them
    std::vector<Storage> storage;  ///< of each
    bool tells_origin = false;     ///< the engine says of RETURNING's columns where they come from
    bool pre_is_image =
        false;  ///< pre's columns of these names are the row's own: the image where nothing changed
};

/// True if nothing was touched in the transaction but these rows of one table, each once, in the way of the
/// verb.
/// @param verb UPDATE, DELETE or INSERT
bool touched_only(const TouchedTables& before, const TouchedTables& touched, const std::string& table_id,
                  const std::string& verb, std::size_t rows);

/// post as reading it would give it, in key order, from pre and RETURNING; nothing where they do not tell.
/// Good only where touched_only().
std::optional<RowSet> post_from_returning(const BatchCapture& capture, const ReturnedPost& post,
                                          const std::vector<std::string>& identifier,
                                          const std::string& verb);

}  // namespace datachange
