#pragma once

#include <optional>
#include <string>
#include <vector>

#include "capture/undo.hpp"

namespace datachange {

/// One row of the images of an undo.
class UndoImage {
public:
    UndoImage(const UndoSpec& spec, const RowSet& images, std::size_t row)
        : m_spec(spec), m_images(images), m_row(row) {}

    Action action() const { return static_cast<Action>(m_images.at(m_row, undo_action).bytes.front() - '0'); }
    bool was_there() const { return action() != Action::inserted; }
    bool was_left() const { return action() != Action::deleted; }
    /// Values of a column of the spec; only where the row and the column have that image.
    ValueView before(std::size_t column) const { return m_images.at(m_row, m_spec.columns[column].before); }
    ValueView after(std::size_t column) const { return m_images.at(m_row, m_spec.columns[column].after); }
    /// A column that was altered, as far as the images can tell, or went or came with its row.
    bool puts_back(std::size_t column) const;

    /// The key that the row has now, if it is what the run left; and the one that it is to have.
    Key live_key() const { return key(was_left()); }
    Key wanted_key() const { return key(!was_there()); }

    /// The row stands as the run left it. @param live row `at` of it, columns as in the spec; nullopt: gone
    bool is_as_left(const RowSet& live, std::optional<std::size_t> at) const;
    /// The row stands as it was before the run.
    bool is_as_before(const RowSet& live, std::optional<std::size_t> at) const;
    /// What differs, column by column.
    void add_conflicts(const RowSet& live, std::optional<std::size_t> at,
                       std::vector<RowConflict>& conflicts) const;

private:
    Key key(bool after) const;

    const UndoSpec& m_spec;
    const RowSet& m_images;
    std::size_t m_row;
};

}  // namespace datachange
