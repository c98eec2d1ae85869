#include "record/ledger/change_reader.hpp"

#include <algorithm>

#include "core/batch_path.hpp"

namespace datachange {

namespace {

std::string_view text_at(SQLite::Statement& query, int place) {
    const SQLite::Column column = query.getColumn(place);
    const char* text = column.getText();
    return {text, static_cast<std::size_t>(column.getBytes())};
}

}  // namespace

ChangeReader::ChangeReader(SQLite::Database& database, std::int64_t run, int step, Order order,
                           const std::string& identifier)
    : m_last_first(order == Order::last_first),
      m_blocks(database,
               std::string{"SELECT identifiers, actions, before, after, returned, new_identifiers FROM block"
                           " WHERE id BETWEEN ? AND ? AND batch_id = ?"
                           " AND (?4 = '' OR (lowest <= ?4 AND highest >= ?4)) ORDER BY id"} +
                   (m_last_first ? " DESC" : "")) {
    m_blocks.bind(4, identifier);
    SQLite::Statement query(
        database,
        "SELECT batch, id, coalesce(first_change, 0), coalesce(last_change, -1) FROM batch"
        " WHERE run_id = ? AND step = ? AND state = 'committed'");
    query.bind(1, run);
    query.bind(2, step);
    while (query.executeStep()) {
        m_spans.push_back({query.getColumn(0).getString(), query.getColumn(1).getInt64(),
                           query.getColumn(2).getInt64(), query.getColumn(3).getInt64()});
    }
    std::sort(m_spans.begin(), m_spans.end(),
              [](const Span& a, const Span& b) { return batch_path_less(a.batch, b.batch); });
    if (m_last_first) std::reverse(m_spans.begin(), m_spans.end());
}

const ChangeRow* ChangeReader::next() {
    while (m_place == m_size) {
        if (!open_block()) return nullptr;
    }
    const std::size_t place = m_last_first ? m_size - 1 - m_place : m_place;
    ++m_place;
    m_row = {m_spans[m_next_span - 1].batch, m_block.row(place), &m_images};
    m_images.read(m_row.row);
    return &m_row;
}

/// Begins with the next block. @return false if there is none
bool ChangeReader::open_block() {
    m_place = m_size = 0;
    while (m_next_span == 0 || !m_blocks.executeStep()) {
        if (m_next_span == m_spans.size()) return false;
        const Span& span = m_spans[m_next_span++];
        m_blocks.reset();
        m_blocks.bind(1, span.first);
        m_blocks.bind(2, span.last);
        m_blocks.bind(3, span.id);
    }
    m_block.open({text_at(m_blocks, 0), text_at(m_blocks, 1), text_at(m_blocks, 2), text_at(m_blocks, 3),
                  text_at(m_blocks, 4), text_at(m_blocks, 5)});
    m_size = m_block.size();
    return true;
}

}  // namespace datachange
