#include "record/ledger/field_hash.hpp"

#include <array>
#include <charconv>

namespace datachange {

namespace {

constexpr std::size_t spill_at = std::size_t{32} * 1024;

void append_number(std::string& out, std::int64_t value) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

}  // namespace

void FieldHash::text(std::string_view bytes) {
    append_number(m_buffer, static_cast<std::int64_t>(bytes.size()));
    m_buffer += ':';
    if (bytes.size() >= spill_at / 8) {
        m_hash.update(m_buffer);
        m_buffer.clear();
        m_hash.update(bytes);
    } else {
        m_buffer += bytes;
    }
    m_buffer += ',';
    spill_if_large();
}

void FieldHash::number(std::int64_t value) {
    text(std::to_string(value));
}

void FieldHash::null() {
    m_buffer += "-,";
}

void FieldHash::spill_if_large() {
    if (m_buffer.size() < spill_at) return;
    m_hash.update(m_buffer);
    m_buffer.clear();
}

std::string FieldHash::finish() {
    m_hash.update(m_buffer);
    m_buffer.clear();
    return m_hash.finish();
}

}  // namespace datachange
