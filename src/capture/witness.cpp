#include "capture/witness.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

namespace {

bool inserts(const StatementTraits& traits) {
    return traits.verb == "INSERT" || traits.verb == "REPLACE";
}

/// REPLACE deletes the row it replaces and inserts another: an update to everybody but the witness. An upsert
/// is not mistaken for it, as it counts no insert for a row that was there.
void balance_replaced(Touched& rest, const AccountedRows& rows, std::int64_t returned) {
    if (std::none_of(rows.statements.begin(), rows.statements.end(), inserts)) return;
    const auto there_before = static_cast<std::int64_t>(rows.inserted_over);
    const std::int64_t inserts_too_many = rest.inserted - (returned - there_before);
    rest.deleted -= std::clamp<std::int64_t>(std::min(there_before, inserts_too_many), 0,
                                             std::max<std::int64_t>(rest.deleted, 0));
}

void account_returned(Touched& rest, const AccountedRows& rows) {
    std::int64_t either = 0;  // of upserts, REPLACE and CTEs under a SELECT: whichever the witness saw
    for (std::size_t i = 0; i < rows.returned.size(); ++i) {
        const auto count = static_cast<std::int64_t>(rows.returned[i]);
        const StatementTraits& traits = rows.statements[i];
        if (traits.verb == "UPDATE") {
            rest.updated -= count;
        } else if (traits.verb == "DELETE") {
            rest.deleted -= count;
        } else if (traits.plain_insert) {
            rest.inserted -= count;
        } else {
            either += count;
        }
    }
    balance_replaced(rest, rows, either);
    const std::int64_t new_rows = std::clamp<std::int64_t>(rest.inserted, 0, either);
    rest.inserted -= new_rows;
    const std::int64_t rewritten =
        rest.deleted > 0 ? std::clamp<std::int64_t>(rest.updated, 0, either - new_rows) : either - new_rows;
    rest.updated -= rewritten;
    rest.deleted -= either - new_rows - rewritten;
}

void account_outcomes(Touched& rest, const RowCounts& counts) {
    rest.inserted -= static_cast<std::int64_t>(counts.inserted);
    rest.deleted -= static_cast<std::int64_t>(counts.deleted);
    // a row rewritten with equal values is touched without being different
    const auto rewritten = static_cast<std::int64_t>(counts.updated + counts.unchanged);
    rest.updated = std::max<std::int64_t>(0, rest.updated - rewritten);
}

/// An update that moves a row to another partition counts as a delete and an insert there, and not as an
/// update; so does REPLACE on SQLite. Both balance out against the rows that were returned as updated.
void balance_moves(Touched& rest) {
    const std::int64_t moves = std::min({rest.inserted, rest.deleted, -rest.updated});
    if (moves <= 0) return;
    rest.inserted -= moves;
    rest.deleted -= moves;
    rest.updated += moves;
}

}  // namespace

void AccountedRows::add(const BatchCapture& rows) {
    counts += rows.counts;
    returned.resize(rows.returned.size());
    for (std::size_t i = 0; i < rows.returned.size(); ++i) returned[i] += rows.returned[i].size();
    if (std::none_of(statements.begin(), statements.end(), inserts)) return;
    for (const AuditedRow& row : rows.rows) {
        if (row.pre == AuditedRow::npos || row.returned.empty()) continue;
        if (inserts(statements[row.returned.front().statement])) ++inserted_over;
    }
}

TouchedTables difference(const TouchedTables& before, const TouchedTables& after) {
    TouchedTables result = after;
    for (const auto& [table, touched] : before.tables) {
        Touched& rest = result.tables[table];
        rest.inserted -= touched.inserted;
        rest.updated -= touched.updated;
        rest.deleted -= touched.deleted;
        rest.truncated = rest.truncated && !touched.truncated;
    }
    return result;
}

std::vector<Collateral> collateral(const TouchedTables& touched,
                                   const std::vector<AccountedRows>& accounted) {
    std::map<std::string, Touched> rest = touched.tables;
    for (const AccountedRows& rows : accounted) {
        if (!rest.contains(rows.table_id)) continue;
        Touched& table = rest[rows.table_id];
        table.truncated = table.truncated && !rows.truncates;
        if (rows.reads_outcome_from_post) {
            account_outcomes(table, rows.counts);
        } else {
            account_returned(table, rows);
            balance_moves(table);
        }
    }
    std::vector<Collateral> tables;
    for (const auto& [name, count] : rest) {
        const Collateral found{name, std::max<std::int64_t>(0, count.inserted),
                               std::max<std::int64_t>(0, count.updated),
                               std::max<std::int64_t>(0, count.deleted), count.truncated};
        if (found.truncated || found.inserted + found.updated + found.deleted > 0) tables.push_back(found);
    }
    return tables;
}

std::string collateral_text(const std::vector<Collateral>& tables) {
    std::vector<std::string> parts;
    for (const Collateral& table : tables) {
        std::vector<std::string> counts;
        if (table.inserted > 0) counts.push_back(fmt::format("{} inserted", table.inserted));
        if (table.updated > 0) counts.push_back(fmt::format("{} updated", table.updated));
        if (table.deleted > 0) counts.push_back(fmt::format("{} deleted", table.deleted));
        if (table.truncated) counts.emplace_back("truncated");
        parts.push_back(table.table + ": " + join(counts, ", "));
    }
    return join(parts, "; ");
}

}  // namespace datachange
