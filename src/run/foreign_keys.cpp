#include "run/foreign_keys.hpp"

#include <set>
#include <utility>

#include "core/text.hpp"

namespace datachange {

namespace {

/// Child and parent of each foreign key, in lower case.
std::set<std::pair<std::string, std::string>> references(Target& target) {
    const RowSet rows =
        target.query(target.engine() == Engine::postgresql
                         ? "SELECT cn.nspname || '.' || c.relname, pn.nspname || '.' || p.relname "
                           "FROM pg_catalog.pg_constraint k "
                           "JOIN pg_catalog.pg_class c ON c.oid = "
                           "coalesce(pg_catalog.pg_partition_root(k.conrelid), k.conrelid) "
                           "JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace "
                           "JOIN pg_catalog.pg_class p ON p.oid = "
                           "coalesce(pg_catalog.pg_partition_root(k.confrelid), k.confrelid) "
                           "JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE k.contype = 'f'"
                         : "SELECT 'main.' || t.name, 'main.' || k.\"table\" FROM main.sqlite_schema AS t, "
                           "pragma_foreign_key_list(t.name) AS k WHERE t.type = 'table'");
    std::set<std::pair<std::string, std::string>> found;
    for (std::size_t row = 0; row < rows.size(); ++row)
        found.emplace(lower(rows.text(row, 0)), lower(rows.text(row, 1)));
    return found;
}

}  // namespace

std::vector<std::size_t> parents_first(Target& target, const std::vector<std::string>& tables) {
    const auto keys = references(target);
    std::vector<std::size_t> order, open;
    for (std::size_t i = 0; i < tables.size(); ++i) open.push_back(i);
    const auto waits = [&](std::size_t table) {
        for (const std::size_t other : open) {
            if (other != table && tables[other] != tables[table] &&
                keys.contains({lower(tables[table]), lower(tables[other])}))
                return true;
        }
        return false;
    };
    while (!open.empty()) {
        std::size_t next = 0;
        while (next < open.size() && waits(open[next])) ++next;
        if (next == open.size()) next = 0;  // a ring
        order.push_back(open[next]);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(next));
    }
    return order;
}

}  // namespace datachange
