#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/row_set.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// The run that is taken back, as the ledger has it.
struct UndoneRun {
    std::int64_t run = 0;
    std::string uuid, version, name;
    std::string definition;  ///< as it was executed; of an undo a text that is none
    bool undo = false;       ///< it is an undo itself
    bool by_hand = false;    ///< the sections `undo` of its definition are run where there are such
};

/// A table that it changed: a step, or what a step watches.
struct UndoTable {
    int number = 1;     ///< of the step in the ledger
    int watch_of = 0;   ///< 0: a step itself
    std::string table;  ///< in SQL notation; "" where the definition names none, until name_table
    std::vector<std::string> identifier, before, after;  ///< columns of the images
    std::uint64_t updated = 0, inserted = 0, deleted = 0;
    bool renames = false;  ///< it altered keys
    bool by_hand = false;  ///< the step has a section `undo`, which is run instead
};

/// Which of the rows of a table.
enum class UndoKind {
    all,
    puts,      ///< those that were updated or deleted, and are there again afterwards
    removals,  ///< those that were inserted, and go
};

/// Rows of a table that are of a kind.
std::uint64_t count_of(const UndoTable& table, UndoKind kind);

/// The images that an undo works from.
class UndoSource {
public:
    virtual ~UndoSource() = default;

    virtual const UndoneRun& run() const = 0;
    /// Tables of which rows were changed, in the order of their numbers.
    virtual const std::vector<UndoTable>& tables() const = 0;
    /// Names the table of a step whose definition does not.
    virtual void name_table(int number, const std::string& table) = 0;
    /// The images of the rows that were changed, the last one first, in pieces of at most `rows`. Columns:
    /// see undo_place, then those of `before` and those of `after`; NULL where a row has no such image.
    virtual void read(const UndoTable& table, UndoKind kind, std::size_t rows,
                      const std::function<void(const RowSet&)>& piece) = 0;
};

}  // namespace datachange
