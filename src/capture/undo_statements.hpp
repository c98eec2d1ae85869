#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "capture/undo_images.hpp"
#include "target/target.hpp"

namespace datachange {

/// A row that is to be changed.
struct UndoRow {
    UndoImage image;
    std::vector<std::size_t> columns;  ///< that are written; none: the row is deleted
};

/// Changes rows of one table and gathers what RETURNING gives: PostgreSQL in one statement for all rows of a
/// kind, SQLite row by row. The columns are those of the spec, and behind them, for updated rows where the
/// run altered keys, the key that the row had: was_<name>.
class UndoStatements {
public:
    UndoStatements(Target& target, const std::string& table, const UndoSpec& spec);

    RowSet remove(const std::vector<UndoRow>& rows);
    RowSet update(const std::vector<UndoRow>& rows);
    RowSet insert(const std::vector<UndoRow>& rows);

private:
    using Rows = std::vector<const UndoRow*>;

    void update_alike(const Rows& rows, RowSet& returned);
    void update_set(const Rows& rows, RowSet& returned);
    void update_each(const Rows& rows, RowSet& returned);
    std::string column_names_of(const std::vector<std::size_t>& columns) const;
    std::string list(const std::string& prefix) const;
    std::vector<Column> columns(bool with_old_key) const;
    bool postgres() const { return m_target.engine() == Engine::postgresql; }

    Target& m_target;
    const std::string& m_table;
    const UndoSpec& m_spec;
};

}  // namespace datachange
