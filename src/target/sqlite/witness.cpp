#include "target/sqlite/witness.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/text.hpp"

namespace datachange::sqlite {

namespace {

extern "C" void on_row_touched(void* witness, sqlite3* /*database*/, int operation, const char* schema,
                               const char* table, sqlite3_int64 /*old_rowid*/, sqlite3_int64 /*new_rowid*/) {
    static_cast<Witness*>(witness)->row_touched(operation, schema, table);
}

bool is_shadow_table(const std::string& table, const std::vector<std::string>& virtual_tables) {
    return std::any_of(virtual_tables.begin(), virtual_tables.end(), [&](const std::string& owner) {
        return lower(table).starts_with(lower(owner) + "_");
    });
}

}  // namespace

void Witness::attach(sqlite3* database) {
    sqlite3_preupdate_hook(database, &on_row_touched, this);
}

void Witness::detach(sqlite3* database) {
    sqlite3_preupdate_hook(database, nullptr, nullptr);
}

void Witness::start() {
    m_entries.clear();
    m_last = 0;
    m_failed = false;
    m_counting = true;
}

namespace {

bool is_counted(std::string_view table) {
    return !table.starts_with("sqlite_") && table != "datachange_runs" && table != "datachange_batches";
}

}  // namespace

Witness::Entry& Witness::entry(std::string_view table) {
    const auto found = std::find_if(m_entries.begin(), m_entries.end(),
                                    [table](const Entry& candidate) { return candidate.table == table; });
    m_last = static_cast<std::size_t>(found - m_entries.begin());
    if (found == m_entries.end()) m_entries.push_back({std::string{table}, {}, is_counted(table)});
    return m_entries[m_last];
}

void Witness::row_touched(int operation, const char* schema, const char* table) {
    if (!m_counting || std::strcmp(schema, "main") != 0) return;
    const bool as_before = m_last < m_entries.size() && m_entries[m_last].table == table;
    Touched& touched = (as_before ? m_entries[m_last] : entry(table)).touched;
    if (operation == SQLITE_INSERT) ++touched.inserted;
    if (operation == SQLITE_UPDATE) ++touched.updated;
    if (operation == SQLITE_DELETE) ++touched.deleted;
}

void Witness::table_dropped(const std::string& name) {
    if (!m_counting) return;
    Entry& dropped = entry(name);
    dropped.counts = dropped.touched.truncated = true;
}

TouchedTables Witness::read(const std::vector<std::string>& virtual_tables) const {
    using Trust = TouchedTables::Trust;
    if (!m_counting) return {Trust::unavailable, "no transaction that writes is open", {}};
    TouchedTables result;
    if (m_failed) {
        result.trust = Trust::may_overcount;
        result.reason = "a statement of this transaction failed, and its rows stay counted";
    }
    for (const Entry& entry : m_entries) {
        if (!entry.counts) continue;
        result.tables["main." + entry.table] = entry.touched;
        if (result.trust == Trust::complete && is_shadow_table(entry.table, virtual_tables)) {
            result.trust = Trust::may_overcount;
            result.reason =
                fmt::format("{} belongs to a virtual table, whose own rows cannot be counted", entry.table);
        }
    }
    return result;
}

}  // namespace datachange::sqlite
