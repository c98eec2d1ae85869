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

void AffectedKeys::fill(const std::vector<Key>& keys) {
    if (m_held && m_held_at == m_connection.rollbacks() && *m_held == keys) return;
    m_held.reset();
    const std::size_t width = keys.front().size();
    const std::string table = table_name(width);
    m_connection.query(
        fmt::format("CREATE TEMPORARY TABLE IF NOT EXISTS {} ({})", table, numbered("k", width)));
    m_connection.query("DELETE FROM " + table);
    StatementCache::Lease insert =
        m_connection.prepare(fmt::format("INSERT INTO {} VALUES ({})", table, numbered("$", width)));
    for (const Key& key : keys) {
        insert->bind("$", key);
        m_connection.rows(*insert);
        insert->reset();
    }
    m_held = keys;
    m_held_at = m_connection.rollbacks();
}

}  // namespace datachange::sqlite
