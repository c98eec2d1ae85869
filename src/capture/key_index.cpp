#include "capture/key_index.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <string_view>

namespace datachange {

namespace {

constexpr std::size_t fewest_slots = 16;

/// -1, 0 or 1, as memcmp orders; integers by size, as their digits tell.
int order(ValueView a, ValueView b) {
    if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
    if (a.kind != ValueKind::integer) return a.bytes.compare(b.bytes);
    const bool negative = a.bytes.starts_with('-');
    if (negative != b.bytes.starts_with('-')) return negative ? -1 : 1;
    if (a.bytes.size() != b.bytes.size()) return (a.bytes.size() < b.bytes.size()) != negative ? -1 : 1;
    const int digits = a.bytes.compare(b.bytes);
    return negative ? -digits : digits;
}

std::uint32_t hash_of(const KeyAt& key) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < key.width(); ++i) {
        const ValueView value = key[i];
        hash = hash * 0x9E3779B97F4A7C15U + std::hash<std::string_view>{}(value.bytes) +
               static_cast<std::uint64_t>(value.kind);
    }
    return static_cast<std::uint32_t>(hash ^ (hash >> 32U));
}

}  // namespace

bool same_key(const KeyAt& a, const KeyAt& b) {
    for (std::size_t i = 0; i < a.width(); ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

bool ascends(const KeyAt& a, const KeyAt& b) {
    for (std::size_t i = 0; i < a.width(); ++i) {
        if (const int difference = order(a[i], b[i]); difference != 0) return difference < 0;
    }
    return false;
}

/// Where the key stands, or the free place where it would.
std::size_t KeyIndex::slot_of(const KeyAt& key, std::uint32_t hash) const {
    const std::size_t mask = m_slots.size() - 1;
    std::size_t at = hash & mask;
    while (m_slots[at].number != 0) {
        if (m_slots[at].hash == hash && same_key(m_keys[m_slots[at].number - 1], key)) break;
        at = (at + 1) & mask;
    }
    return at;
}

void KeyIndex::grow(std::size_t slots) {
    std::vector<Slot> former(slots);
    former.swap(m_slots);
    const std::size_t mask = slots - 1;
    for (const Slot& slot : former) {
        if (slot.number == 0) continue;
        std::size_t at = slot.hash & mask;
        while (m_slots[at].number != 0) at = (at + 1) & mask;
        m_slots[at] = slot;
    }
}

/// Takes in the keys that came since the table was last needed.
void KeyIndex::index_all() {
    if (m_keys.size() * 2 > m_slots.size()) {
        grow(std::bit_ceil(std::max(fewest_slots, m_keys.capacity() * 2)));
    }
    for (; m_indexed < m_keys.size(); ++m_indexed) {
        const std::uint32_t hash = hash_of(m_keys[m_indexed]);
        m_slots[slot_of(m_keys[m_indexed], hash)] = {static_cast<std::uint32_t>(m_indexed + 1), hash};
    }
}

bool KeyIndex::is_expected(const KeyAt& key) const {
    return m_expected < m_keys.size() && same_key(m_keys[m_expected], key);
}

bool KeyIndex::is_beyond_last(const KeyAt& key) const {
    return m_ascending && (m_keys.empty() || ascends(m_keys.back(), key));
}

void KeyIndex::append(const KeyAt& key) {
    if (m_expected == m_keys.size()) ++m_expected;
    m_keys.push_back(key);
}

std::size_t KeyIndex::find(const KeyAt& key) {
    if (is_expected(key)) return m_expected++;
    if (is_beyond_last(key)) return npos;
    index_all();
    const std::uint32_t number = m_slots[slot_of(key, hash_of(key))].number;
    if (number == 0) return npos;
    m_expected = number;
    return number - 1;
}

KeyIndex::Added KeyIndex::add(const KeyAt& key) {
    const bool beyond = m_expected == m_keys.size() && is_beyond_last(key);
    if (!beyond) {
        if (const std::size_t found = find(key); found != npos) return {found, false};
        m_ascending = m_ascending && is_beyond_last(key);
    }
    append(key);
    return {m_keys.size() - 1, true};
}

}  // namespace datachange
