#include "capture/capturing.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "capture/surroundings.hpp"
#include "core/located.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

bool change_uses_affected(const CaptureSpec& spec) {
    return std::any_of(spec.change.begin(), spec.change.end(), [](const ChangeSpec& statement) {
        return statement.sql.uses(SqlPiece::Kind::affected);
    });
}

bool watches_use_affected(const CaptureSpec& spec) {
    return std::any_of(spec.watches.begin(), spec.watches.end(),
                       [](const WatchSpec& watch) { return watch.query.uses(SqlPiece::Kind::affected); });
}

std::vector<StatementTraits> returning_traits(const CaptureSpec& spec) {
    std::vector<StatementTraits> traits;
    for (const ChangeSpec& statement : spec.change) {
        if (statement.returns) traits.push_back(statement.traits);
    }
    return traits;
}

}  // namespace

std::vector<Key> keys_of(const RowSet& rows, const std::vector<std::size_t>& columns) {
    std::vector<Key> keys;
    keys.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) keys.push_back(rows.key(row, columns));
    return keys;
}

SqlTemplate rows_by_key(const std::string& what, const std::string& table,
                        const std::vector<std::string>& key_names, const std::string& lock_clause) {
    std::vector<std::string> arguments;
    for (const std::string& name : key_names) arguments.push_back(quote_name(name));
    SqlTemplate sql;
    sql.pieces = {
        {SqlPiece::Kind::text, fmt::format("SELECT {} FROM {} WHERE ", what, table), {}, {}},
        {SqlPiece::Kind::affected, "", arguments, {}},
        {SqlPiece::Kind::text, fmt::format(" ORDER BY {}{}", quote_names(key_names), lock_clause), {}, {}}};
    return sql;
}

void lock_rows(Target& target, const CaptureSpec& spec, const std::vector<Key>& keys) {
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = spec.identifier_types;
    target.query(rows_by_key("1", spec.table, spec.table_key, target.lock_clause()), scope);
}

void refuse_growing_set() {
    throw DatabaseError(ExitCode::failed, "other sessions keep adding rows to the set", "40001", "");
}

Capturing::Capturing(Target& target, const CaptureSpec& spec, const KeyRange& range,
                     TouchedTables touched_before)
    : m_target(target), m_spec(spec), m_touched_before(std::move(touched_before)) {
    m_scope.range = range;
    m_scope.range_types = spec.range_types;
    m_scope.affected_types = spec.identifier_types;
    m_scope.affected = &m_keys;
    m_touched_now = m_touched_before;
}

RowSet Capturing::query(const SqlTemplate& sql) {
    return located(m_spec.path, sql.at, [&] { return m_target.query(sql, m_scope); });
}

void Capturing::read_pre() {
    m_rows.pre = query(in_key_order(m_spec.pre, m_spec.identifier));
}

void Capturing::read_pre_locked() {
    std::unordered_set<std::string> locked;
    for (int round = 0; round < most_locking_rounds; ++round) {
        read_pre();
        std::vector<Key> open;
        const RowSet& pre = m_rows.pre;
        for (Key& key : keys_of(pre, identifier_columns(pre.columns(), m_spec.identifier, "pre"))) {
            if (locked.insert(key_fingerprint(key)).second) open.push_back(std::move(key));
        }
        if (open.empty()) return;
        lock_rows(m_target, m_spec, open);
    }
    refuse_growing_set();
}

void Capturing::affect(std::vector<Key> keys) {
    m_keys = std::move(keys);
    m_keys_given = true;
}

void Capturing::affect_pre() {
    if (m_keys_given) return;
    if (!change_uses_affected(m_spec) && !watches_use_affected(m_spec)) return;
    m_keys = keys_of(m_rows.pre, identifier_columns(m_rows.pre.columns(), m_spec.identifier, "pre"));
}

void Capturing::change() {
    require_whole_table();
    for (const ChangeSpec& statement : m_spec.change) {
        RowSet rows = query(statement.sql);
        if (statement.returns) m_rows.returned.push_back(std::move(rows));
    }
    m_target.settle();
}

/// TRUNCATE takes every row, and no counter tells how many: all of them have to be in pre.
void Capturing::require_whole_table() {
    if (!truncates(m_spec) || m_spec.table.empty()) return;
    const RowSet all = m_target.query("SELECT count(*) FROM " + m_spec.table);
    if (all.text(0, 0) == std::to_string(m_rows.pre.size())) return;
    throw Error(ExitCode::failed,
                fmt::format("TRUNCATE would take {} rows of {}, and pre gives {}", all.text(0, 0),
                            m_spec.table, m_rows.pre.size()),
                "Let pre give every row of the table, or delete the rows that it gives. Nothing was changed.")
        .at(m_spec.path);
}

bool Capturing::derive_post() {
    if (!m_spec.returned_post) return false;
    read_witness();
    const std::string& verb = m_spec.change.front().traits.verb;
    const std::size_t returned = m_rows.returned.front().size();
    if (!touched_only(m_touched_before, touched(), m_spec.table_id, verb, returned)) return false;
    return take_returned_for_post();
}

bool Capturing::take_returned_for_post() {
    const std::string& verb = m_spec.change.front().traits.verb;
    std::optional<RowSet> post = post_from_returning(m_rows, *m_spec.returned_post, m_spec.identifier, verb);
    if (post) m_rows.post = std::move(*post);
    return post.has_value();
}

void Capturing::query_post() {
    if (m_spec.post.uses(SqlPiece::Kind::affected) || watches_use_affected(m_spec))
        m_keys = affected_keys(m_rows, m_spec.identifier);
    m_rows.post = query(in_key_order(m_spec.post, m_spec.identifier));
}

void Capturing::compare_rows() {
    CompareRules rules{m_spec.identifier, returning_traits(m_spec), m_spec.returning_none, std::nullopt};
    const TouchedTables touched = this->touched();
    if (touched.trust == TouchedTables::Trust::complete && !m_spec.table_id.empty()) {
        const auto found = touched.tables.find(m_spec.table_id);
        rules.witnessed_inserts = found == touched.tables.end() ? 0 : found->second.inserted;
    }
    compare(m_rows, rules);
}

void Capturing::refuse_unexpected() {
    if (m_rows.counts.unexpected == 0) return;
    std::vector<std::string> examples;
    for (const AuditedRow& row : m_rows.rows) {
        if (row.action == Action::unexpected && examples.size() < most_examples)
            examples.push_back(row.identifier);
    }
    const std::string outside = outside_range();
    throw UnexpectedRows(
        ExitCode::failed,
        fmt::format("change touched {} that pre did not return{}, for example {} {}",
                    counted(m_rows.counts.unexpected, "row"), outside, join(m_spec.identifier, ", "),
                    join(examples, ", ")),
        outside.empty() ? "pre and change must select the same rows. The batch was rolled back."
                        : "pre and change must put :batch on the identifier itself, and on the same one. "
                          "The batch was rolled back.");
}

/// Asks the database, whose order alone counts, whether unexpected rows lie outside the batch's range.
std::string Capturing::outside_range() {
    const bool askable = m_spec.range_over_identifier && !m_scope.range.everything() && !m_spec.table.empty();
    if (!askable) return {};
    std::vector<Key> keys;
    for (const AuditedRow& row : m_rows.rows) {
        if (row.action != Action::unexpected) continue;
        const AuditedRow::Returned from = row.returned.front();
        const RowSet& returned = m_rows.returned[from.statement];
        keys.push_back(
            returned.key(from.row, identifier_columns(returned.columns(), m_spec.identifier, "RETURNING")));
    }
    std::vector<std::string> names;
    for (const std::string& name : m_spec.identifier) names.push_back(quote_name(name));
    SqlTemplate sql;
    sql.pieces = {{SqlPiece::Kind::text, "SELECT count(*) FROM " + m_spec.table + " WHERE ", {}, {}},
                  {SqlPiece::Kind::affected, "", names, {}},
                  {SqlPiece::Kind::text, " AND NOT (", {}, {}},
                  {SqlPiece::Kind::batch, "", names, {}},
                  {SqlPiece::Kind::text, ")", {}, {}}};
    Scope scope = m_scope;
    scope.affected = &keys;
    const std::string count = m_target.query(sql, scope).text(0, 0);
    return count == "0" ? "" : fmt::format(" ({} outside this batch's range)", count);
}

}  // namespace datachange
