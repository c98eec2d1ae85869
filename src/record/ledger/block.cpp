#include "record/ledger/block.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

#include "core/value_json.hpp"
#include "record/ledger/json_cells.hpp"

namespace datachange {

void BlockBuilder::Cells::add(std::size_t before, std::string_view json) {
    if (json.empty() && m_json.empty()) return;
    if (m_json.empty()) {
        for (std::size_t i = 0; i < before; ++i) m_json += i == 0 ? "[null" : ",null";
    }
    m_json += m_json.empty() ? '[' : ',';
    m_json += json.empty() ? std::string_view{"null"} : json;
}

std::string BlockBuilder::Cells::take() {
    std::string json = std::exchange(m_json, {});
    if (json.empty()) return json;
    m_json.reserve(json.size() + json.size() / 8);  // the next block will be about as large
    json += ']';
    return json;
}

void BlockBuilder::bound(const std::string& identifier) {
    if (m_rows == 0) {
        m_lowest = m_highest = identifier;
    } else if (identifier < m_lowest) {
        m_lowest = identifier;
    } else if (identifier > m_highest) {
        m_highest = identifier;
    }
}

void BlockBuilder::add(const StoredRow& row) {
    bound(row.identifier);
    m_text.clear();
    append_json_string(m_text, row.identifier);
    m_identifiers.add(m_rows, m_text);
    m_bytes += m_text.size() + row.before.size() + row.after.size() + row.returned.size();
    m_before.add(m_rows, row.before);
    m_after.add(m_rows, row.after);
    m_returned.add(m_rows, row.returned);
    m_text.clear();
    if (!row.new_identifier.empty()) append_json_string(m_text, row.new_identifier);
    m_new_identifiers.add(m_rows, m_text);
    m_actions += m_rows == 0 ? '[' : ',';
    m_actions += std::to_string(row.action);
    if (m_rows == 0) m_action = row.action;
    m_same_action = m_same_action && row.action == m_action;
    ++m_rows;
    if (!row.new_identifier.empty()) bound(row.new_identifier);
}

Block BlockBuilder::take() {
    Block block;
    block.rows = m_rows;
    block.lowest = std::move(m_lowest);
    block.highest = std::move(m_highest);
    block.identifiers = m_identifiers.take();
    block.actions = m_same_action ? std::to_string(m_action) : m_actions + ']';
    block.before = m_before.take();
    block.after = m_after.take();
    block.returned = m_returned.take();
    block.new_identifiers = m_new_identifiers.take();
    m_actions.clear();
    m_rows = m_bytes = 0;
    m_same_action = true;
    return block;
}

namespace {

[[noreturn]] void fail() {
    throw std::invalid_argument("a block of the ledger is not as it was written");
}

std::string_view cell(const std::vector<std::string_view>& cells, std::size_t place) {
    if (cells.empty() || cells[place] == "null") return {};
    return cells[place];
}

/// The text of a JSON string; decoded into `memory` only where it must be.
std::string_view text(std::string_view json, std::string& memory) {
    if (json.empty()) return json;
    if (json.find('\\') == std::string_view::npos) return json.substr(1, json.size() - 2);
    memory = parse_json_string(json);
    return memory;
}

Action action_of(std::string_view json) {
    int number = 0;
    const auto read = std::from_chars(json.data(), json.data() + json.size(), number);
    if (read.ec != std::errc{} || number < 0 || number > static_cast<int>(Action::unexpected)) fail();
    return static_cast<Action>(number);
}

}  // namespace

BlockBounds BoundsReader::read(std::string_view identifiers, std::string_view new_identifiers) {
    m_any = false;
    split_json_array(identifiers, m_cells);
    const std::size_t rows = m_cells.size();
    bound(m_cells);
    if (!new_identifiers.empty()) {
        split_json_array(new_identifiers, m_cells);
        bound(m_cells);
    }
    return {rows, m_lowest, m_highest};
}

void BoundsReader::bound(const std::vector<std::string_view>& cells) {
    for (const std::string_view json : cells) {
        if (json == "null") continue;
        const std::string_view identifier = text(json, m_memory);
        if (!m_any || identifier < m_lowest) m_lowest = identifier;
        if (!m_any || identifier > m_highest) m_highest = identifier;
        m_any = true;
    }
}

void BlockReader::split(std::string_view json, Cells& cells) const {
    cells.clear();
    if (json.empty()) return;
    split_json_array(json, cells);
    if (cells.size() != m_identifiers.size()) fail();
}

void BlockReader::open(const Columns& columns) {
    split_json_array(columns.identifiers, m_identifiers);
    const bool same_action = !columns.actions.starts_with('[');
    m_action = columns.actions;
    split(same_action ? std::string_view{} : columns.actions, m_actions);
    split(columns.before, m_before);
    split(columns.after, m_after);
    split(columns.returned, m_returned);
    split(columns.new_identifiers, m_new_identifiers);
}

BlockRow BlockReader::row(std::size_t place) {
    BlockRow row;
    row.action = action_of(m_actions.empty() ? m_action : m_actions[place]);
    row.identifier = text(m_identifiers[place], m_identifier);
    row.new_identifier = text(cell(m_new_identifiers, place), m_new_identifier);
    row.before = cell(m_before, place);
    row.after = cell(m_after, place);
    row.returned = cell(m_returned, place);
    return row;
}

}  // namespace datachange
