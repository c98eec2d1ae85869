#include "target/sqlite/affected_keys.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "target/macros.hpp"

namespace datachange::sqlite {

namespace {

/// prefix1, prefix2, ...
std::string numbered(std::string_view prefix, std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 1; i <= count; ++i) names.push_back(fmt::format("{}{}", prefix, i));
    return join(names, ", ");
}

}  // namespace

std::string AffectedKeys::table_name(std::size_t width) {
    return fmt::format("temp.datachange_affected_{}", width);
}

std::string AffectedKeys::condition(const std::vector<std::string>& arguments) {
    return fmt::format("{} IN (SELECT {} FROM {})", row_of(arguments), numbered("k", arguments.size()),
                       table_name(arguments.size()));
}

namespace {

/// Equal exactly where the keys are.
std::string bytes_of(const std::vector<Key>& keys) {
    std::string bytes;
    for (const Key& key : keys) {
        for (const Value& value : key) {
            const std::size_t size = value.bytes.size();
            bytes += static_cast<char>(value.kind);
            bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
            bytes += value.bytes;
        }
    }
    return bytes;
}

}  // namespace

void AffectedKeys::fill(const std::vector<Key>& keys) {
    const std::size_t width = keys.front().size();
    std::string wanted = bytes_of(keys);
    if (m_width == width && m_held_at == m_connection.rollbacks() && m_held == wanted) return;
    m_width = 0;
    const Witness::Away unwatched(m_connection.witness(), m_connection.handle());
    const std::string table = table_name(width);
    m_connection.query(
        fmt::format("CREATE TEMPORARY TABLE IF NOT EXISTS {} ({})", table, numbered("k", width)));
    m_connection.query("DELETE FROM " + table);
    StatementCache::Lease insert =
        m_connection.prepare(fmt::format("INSERT INTO {} VALUES ({})", table, numbered("$", width)));
    m_connection.for_each(*insert, keys);
    m_held = std::move(wanted);
    m_width = width;
    m_held_at = m_connection.rollbacks();
}

}  // namespace datachange::sqlite
