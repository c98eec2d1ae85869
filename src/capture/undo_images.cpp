#include "capture/undo_images.hpp"

#include "core/value_json.hpp"

namespace datachange {

namespace {

constexpr std::size_t npos = UndoColumn::npos;

std::string value_json(ValueView value) {
    std::string json;
    append_json(json, value);
    return json;
}

}  // namespace

Key UndoImage::key(bool after) const {
    Key key;
    for (std::size_t i = 0; i < m_spec.key_width; ++i) key.emplace_back(after ? this->after(i) : before(i));
    return key;
}

bool UndoImage::puts_back(std::size_t column) const {
    const UndoColumn& of = m_spec.columns[column];
    // where the run left no value that could be compared, nobody knows whether it changed the column
    return of.before != npos && !of.generated && (of.after != npos || !was_left());
}

bool UndoImage::is_as_left(const RowSet& live, std::optional<std::size_t> at) const {
    if (!at || !was_left()) return !at && !was_left();
    for (std::size_t i = 0; i < m_spec.columns.size(); ++i) {
        if (m_spec.columns[i].after != npos && live.at(*at, i) != after(i)) return false;
    }
    return true;
}

bool UndoImage::is_as_before(const RowSet& live, std::optional<std::size_t> at) const {
    if (!at || !was_there()) return !at && !was_there();
    for (std::size_t i = 0; i < m_spec.columns.size(); ++i) {
        if (puts_back(i) && live.at(*at, i) != before(i)) return false;
    }
    return true;
}

void UndoImage::add_conflicts(const RowSet& live, std::optional<std::size_t> at,
                              std::vector<RowConflict>& conflicts) const {
    for (std::size_t i = 0; i < m_spec.columns.size(); ++i) {
        const UndoColumn& column = m_spec.columns[i];
        const bool has_before = was_there() && column.before != npos;
        const bool has_after = was_left() && column.after != npos;
        if (!has_before && !has_after) continue;
        if (at && has_after && live.at(*at, i) == after(i)) continue;
        conflicts.push_back({1, key_text(live_key()), column.name, has_before ? value_json(before(i)) : "",
                             has_after ? value_json(after(i)) : "", at ? value_json(live.at(*at, i)) : ""});
    }
}

}  // namespace datachange
