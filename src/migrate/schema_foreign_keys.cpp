#include "migrate/schema_foreign_keys.hpp"

#include <exception>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

SchemaForeignKeys::SchemaForeignKeys(Target& target)
    : m_target(target), m_sqlite(target.engine() == Engine::sqlite) {
    if (m_sqlite) m_target.enforce_foreign_keys(false);
}

SchemaForeignKeys::~SchemaForeignKeys() {
    try {
        if (m_sqlite) m_target.enforce_foreign_keys(true);
    } catch (const std::exception&) {
        // a file that is gone; reconnect() opens a session with the setting that a session begins with
    }
}

SchemaForeignKeys::Violations SchemaForeignKeys::violations() {
    Violations found;
    if (!m_sqlite) return found;
    const RowSet rows = m_target.query(
        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY \"table\", parent");
    for (std::size_t i = 0; i < rows.size(); ++i)
        found[{rows.text(i, 0), rows.text(i, 1)}] = std::stoull(rows.text(i, 2));
    return found;
}

void SchemaForeignKeys::count() {
    m_before = violations();
}

void SchemaForeignKeys::require_none_new() {
    std::vector<std::string> worse;
    for (const auto& [tables, number] : violations()) {
        const std::uint64_t before = m_before[tables];
        if (number <= before) continue;
        worse.push_back(
            fmt::format("{} of {} without {}", counted(number - before, "row"), tables.first, tables.second));
    }
    if (worse.empty()) return;
    throw DatabaseError(
        ExitCode::failed, "foreign keys would be violated: " + join(worse, ", "),
        "SQLITE_CONSTRAINT_FOREIGNKEY", "",
        "ON DELETE and ON UPDATE do not act while a schema migration runs: change the rows that "
        "refer to others as well.");
}

}  // namespace datachange
