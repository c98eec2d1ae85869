#include "record/ledger/row_images.hpp"

#include "record/ledger/json_cells.hpp"

namespace datachange {

// What [] and {} stand for in images: see RowEncoder.
void RowImages::read(const BlockRow& row) {
    m_before.clear();
    m_after.clear();
    if (!row.before.empty()) split_json_array(row.before, m_before);
    for (std::string_view& cell : m_before) {
        if (cell == "[]") cell = row.identifier;
        if (cell == "{}") cell = m_quoted.assign(1, '"').append(row.identifier).append(1, '"');
    }
    const bool untouched = row.action == Action::unchanged || row.action == Action::missing;
    m_same = untouched && row.after.empty();
    if (!row.after.empty()) split_json_array(row.after, m_after);
    for (std::size_t i = 0; i < m_after.size(); ++i) {
        if (m_after[i] == "[]") m_after[i] = m_before.at(i);
    }
}

}  // namespace datachange
