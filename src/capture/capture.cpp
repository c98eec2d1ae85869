#include "capture/capture.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "capture/witness.hpp"
#include "core/located.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

constexpr std::size_t most_examples = 5;

std::vector<Key> keys_of(const RowSet& rows, const std::vector<std::size_t>& columns) {
    std::vector<Key> keys;
    keys.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) keys.push_back(rows.key(row, columns));
    return keys;
}

/// SELECT what FROM table WHERE the row has one of the keys, in key order.
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

/// One pass through one batch; its members hold what the steps hand on.
class Capturing {
public:
    Capturing(Target& target, const CaptureSpec& spec, const KeyRange& range)
        : m_target(target), m_spec(spec) {
        m_scope.range = range;
        m_scope.range_types = spec.range_types;
        m_scope.affected_types = spec.identifier_types;
        m_scope.affected = &m_keys;
        m_touched_before = target.touched();
        require_witness();
    }

    void read_pre() { m_result.rows.pre = query(in_key_order(m_spec.pre, m_spec.identifier)); }
    /// Until every row of pre was locked before it was read: what is read then cannot change any more.
    void read_pre_locked() {
        constexpr int most_rounds = 5;
        std::unordered_set<std::string> locked;
        for (int round = 0; round < most_rounds; ++round) {
            read_pre();
            std::vector<Key> open;
            const RowSet& pre = m_result.rows.pre;
            for (Key& key : keys_of(pre, identifier_columns(pre.columns(), m_spec.identifier, "pre"))) {
                if (locked.insert(key_fingerprint(key)).second) open.push_back(std::move(key));
            }
            if (open.empty()) return;
            lock(open);
        }
        throw DatabaseError(ExitCode::failed, "other sessions keep adding rows to the set", "40001", "");
    }
    void take_pre(RowSet rows) { m_result.rows.pre = std::move(rows); }
    void note_drift(std::uint64_t count, std::vector<std::string> keys) {
        m_result.drifted = count;
        m_result.drifted_keys = std::move(keys);
    }

    StepCapture change_and_compare() {
        const auto pre_columns = identifier_columns(m_result.rows.pre.columns(), m_spec.identifier, "pre");
        if (uses_affected(m_spec.change) || uses_affected(m_spec.watches))
            m_keys = keys_of(m_result.rows.pre, pre_columns);
        read_watches(&BatchCapture::pre);
        require_whole_table();
        for (const ChangeSpec& statement : m_spec.change) execute(statement);
        m_target.settle();
        const TouchedTables touched = m_spec.returned_post ? derive_post() : read_post();
        compare_all(touched);
        witness(touched);
        refuse_unexpected();
        return std::move(m_result);
    }

private:
    RowSet query(const SqlTemplate& sql) {
        return located(m_spec.path, sql.at, [&] { return m_target.query(sql, m_scope); });
    }

    /// Reads post and, last of all, the witness, which then has seen what reading did as well.
    TouchedTables read_post() {
        query_post();
        return difference(m_touched_before, m_target.touched());
    }

    /// Takes RETURNING for post where the witness saw nothing but the rows returned; reads it otherwise,
    /// which for plain columns of a table touches nothing.
    TouchedTables derive_post() {
        TouchedTables touched = difference(m_touched_before, m_target.touched());
        const std::string& verb = m_spec.change.front().traits.verb;
        const std::size_t returned = m_result.rows.returned.front().size();
        std::optional<RowSet> post;
        if (touched_only(m_touched_before, touched, m_spec.table_id, verb, returned))
            post = post_from_returning(m_result.rows, *m_spec.returned_post, m_spec.identifier, verb);
        if (post) {
            m_result.rows.post = std::move(*post);
        } else {
            query_post();
        }
        return touched;
    }

    void query_post() {
        if (m_spec.post.uses(SqlPiece::Kind::affected) || uses_affected(m_spec.watches))
            m_keys = affected_keys(m_result.rows, m_spec.identifier);
        m_result.rows.post = query(in_key_order(m_spec.post, m_spec.identifier));
        read_watches(&BatchCapture::post);
    }

    static bool uses_affected(const std::vector<ChangeSpec>& statements) {
        return std::any_of(statements.begin(), statements.end(), [](const ChangeSpec& statement) {
            return statement.sql.uses(SqlPiece::Kind::affected);
        });
    }
    static bool uses_affected(const std::vector<WatchSpec>& watches) {
        return std::any_of(watches.begin(), watches.end(),
                           [](const WatchSpec& watch) { return watch.query.uses(SqlPiece::Kind::affected); });
    }

    void lock(const std::vector<Key>& keys) {
        Scope scope;
        scope.affected = &keys;
        scope.affected_types = m_spec.identifier_types;
        m_target.query(rows_by_key("1", m_spec.table, m_spec.table_key, m_target.lock_clause()), scope);
    }

    void require_witness() const {
        if (!m_spec.strict || m_touched_before.trust != TouchedTables::Trust::unavailable) return;
        throw Error(ExitCode::failed,
                    "--strict needs a witness, and there is none: " + m_touched_before.reason,
                    "Have track_counts switched on, or run without --strict. Nothing was changed.");
    }

    void refuse_collateral() const {
        if (!m_spec.strict) return;
        std::vector<Collateral> surprising = m_result.collateral;
        std::erase_if(surprising, [&](const Collateral& table) {
            const auto& expected = m_spec.expected_collateral;
            return std::find(expected.begin(), expected.end(), table.table) != expected.end();
        });
        if (surprising.empty()) return;
        throw Error(
            ExitCode::failed,
            "--strict, and rows were changed beside the audited ones: " + collateral_text(surprising),
            fmt::format(
                "Triggers or cascades did it{}. Name the tables in the header (`-- collateral: NAME`) "
                "or watch them (`-- audit:watch NAME`). The batch was rolled back.",
                m_result.witness == TouchedTables::Trust::complete
                    ? ""
                    : ", unless the witness overcounts: " + m_result.witness_reason))
            .at(m_spec.path);
    }

    bool truncates() const {
        return std::any_of(m_spec.change.begin(), m_spec.change.end(),
                           [](const ChangeSpec& statement) { return statement.traits.verb == "TRUNCATE"; });
    }

    /// TRUNCATE takes every row, and no counter tells how many: all of them have to be in pre.
    void require_whole_table() {
        if (!truncates() || m_spec.table.empty()) return;
        const RowSet all = m_target.query("SELECT count(*) FROM " + m_spec.table);
        if (all.text(0, 0) == std::to_string(m_result.rows.pre.size())) return;
        throw Error(
            ExitCode::failed,
            fmt::format("TRUNCATE would take {} rows of {}, and pre gives {}", all.text(0, 0), m_spec.table,
                        m_result.rows.pre.size()),
            "Let pre give every row of the table, or delete the rows that it gives. Nothing was changed.")
            .at(m_spec.path);
    }

    void read_watches(RowSet BatchCapture::*moment) {
        m_result.watches.resize(m_spec.watches.size());
        for (std::size_t i = 0; i < m_spec.watches.size(); ++i) {
            const WatchSpec& watch = m_spec.watches[i];
            m_result.watches[i].*moment = query(in_key_order(watch.query, watch.identifier));
        }
    }

    void execute(const ChangeSpec& statement) {
        RowSet rows = query(statement.sql);
        if (statement.returns) m_result.rows.returned.push_back(std::move(rows));
    }

    std::vector<StatementTraits> traits() const {
        std::vector<StatementTraits> traits;
        for (const ChangeSpec& statement : m_spec.change) {
            if (statement.returns) traits.push_back(statement.traits);
        }
        return traits;
    }

    void compare_all(const TouchedTables& touched) {
        CompareRules rules{m_spec.identifier, traits(), m_spec.returning_none, std::nullopt};
        if (touched.trust == TouchedTables::Trust::complete && !m_spec.table_id.empty()) {
            const auto found = touched.tables.find(m_spec.table_id);
            rules.witnessed_inserts = found == touched.tables.end() ? 0 : found->second.inserted;
        }
        compare(m_result.rows, rules);
        for (std::size_t i = 0; i < m_spec.watches.size(); ++i) {
            compare(m_result.watches[i], {m_spec.watches[i].identifier, {}, true, std::nullopt});
        }
    }

    void witness(const TouchedTables& touched) {
        m_result.witness = touched.trust;
        m_result.witness_reason = touched.reason;
        std::vector<AccountedRows> accounted{{m_spec.table_id, &m_result.rows, traits(),
                                              m_spec.returning_none, truncates() && !m_spec.table.empty()}};
        for (std::size_t i = 0; i < m_spec.watches.size(); ++i) {
            accounted.push_back({m_spec.watches[i].table_id, &m_result.watches[i], {}, true});
        }
        m_result.collateral = collateral(touched, accounted);
        if (m_spec.returning_none && touched.trust == TouchedTables::Trust::unavailable) {
            throw Error(ExitCode::failed,
                        "`returning: none` needs a witness, and there is none: " + touched.reason,
                        "Give the statements RETURNING, or have the witness switched on. Nothing was kept of "
                        "this batch.");
        }
        if (m_spec.returning_none && !m_result.collateral.empty()) {
            throw Error(
                ExitCode::failed,
                "`returning: none`, but rows were changed that pre did not give: " +
                    collateral_text(m_result.collateral),
                "Only rows of pre can be audited without RETURNING: widen pre, or watch the other tables "
                "(`-- audit:watch TABLE`). The batch was rolled back.");
        }
        refuse_collateral();
    }

    void refuse_unexpected() {
        const BatchCapture& rows = m_result.rows;
        if (rows.counts.unexpected == 0) return;
        std::vector<std::string> examples;
        for (const AuditedRow& row : rows.rows) {
            if (row.action == Action::unexpected && examples.size() < most_examples)
                examples.push_back(row.identifier);
        }
        const std::string outside = outside_range();
        throw UnexpectedRows(
            ExitCode::failed,
            fmt::format("change touched {} that pre did not return{}, for example {} {}",
                        counted(rows.counts.unexpected, "row"), outside, join(m_spec.identifier, ", "),
                        join(examples, ", ")),
            outside.empty() ? "pre and change must select the same rows. The batch was rolled back."
                            : "pre and change must put :batch on the identifier itself, and on the same one. "
                              "The batch was rolled back.");
    }

    /// Asks the database, whose order alone counts, whether unexpected rows lie outside the batch's range.
    std::string outside_range() {
        const bool askable =
            m_spec.range_over_identifier && !m_scope.range.everything() && !m_spec.table.empty();
        if (!askable) return {};
        std::vector<Key> keys;
        for (const AuditedRow& row : m_result.rows.rows) {
            if (row.action != Action::unexpected) continue;
            const AuditedRow::Returned from = row.returned.front();
            const RowSet& returned = m_result.rows.returned[from.statement];
            keys.push_back(returned.key(
                from.row, identifier_columns(returned.columns(), m_spec.identifier, "RETURNING")));
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

    Target& m_target;
    const CaptureSpec& m_spec;
    Scope m_scope;
    std::vector<Key> m_keys;
    TouchedTables m_touched_before;
    StepCapture m_result;
};

/// The spooled columns that come from the table unchanged, and their names there: what can be read again.
struct TableColumns {
    std::vector<std::size_t> places;
    std::vector<std::string> names;
};

TableColumns table_columns(const RowSet& slice, const std::string& table_id) {
    TableColumns result;
    for (std::size_t i = 0; i < slice.width(); ++i) {
        const Column& column = slice.columns()[i];
        if (column.origin_table != table_id || column.origin_column.empty()) continue;
        result.places.push_back(i);
        result.names.push_back(column.origin_column);
    }
    return result;
}

/// The rows of the slice as they are now, locked; columns as TableColumns, then the identifier is among them.
RowSet lock_rows(Target& target, const CaptureSpec& spec, const TableColumns& columns,
                 const std::vector<std::string>& key_names, const std::vector<Key>& keys) {
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = spec.identifier_types;
    return target.query(rows_by_key(quote_names(columns.names), spec.table, key_names, target.lock_clause()),
                        scope);
}

}  // namespace

std::string witness_text(const StepCapture& capture) {
    switch (capture.witness) {
        case TouchedTables::Trust::complete:
            return "complete";
        case TouchedTables::Trust::may_overcount:
            return "may overcount: " + capture.witness_reason;
        case TouchedTables::Trust::unavailable:
            return "unavailable: " + capture.witness_reason;
    }
    return "";
}

SqlTemplate in_key_order(const SqlTemplate& query, const std::vector<std::string>& identifier) {
    return wrap("SELECT * FROM (", query, ") AS datachange_set ORDER BY " + quote_names(identifier));
}

StepCapture capture_range(Target& target, const CaptureSpec& spec, const KeyRange& range, bool lock_first) {
    Capturing capturing(target, spec, range);
    lock_first ? capturing.read_pre_locked() : capturing.read_pre();
    return capturing.change_and_compare();
}

StepCapture capture_slice(Target& target, const CaptureSpec& spec, const RowSet& slice) {
    Capturing capturing(target, spec, {});
    const TableColumns columns = table_columns(slice, spec.table_id);
    const auto key_places = identifier_columns(slice.columns(), spec.identifier, "pre");
    std::vector<std::string> key_names;
    std::vector<std::size_t> live_key_places;  // the identifier among the columns that are read again
    for (const std::size_t place : key_places) {
        const auto among = std::find(columns.places.begin(), columns.places.end(), place);
        if (among == columns.places.end()) {
            throw Error(
                ExitCode::usage,
                fmt::format(
                    "pre's identifier {} is not a column of {} as it stands, so rows cannot be read again "
                    "by key",
                    slice.columns()[place].name, spec.table),
                "Select the column itself in pre, or use :batch in pre and change.");
        }
        live_key_places.push_back(static_cast<std::size_t>(among - columns.places.begin()));
        key_names.push_back(slice.columns()[place].origin_column);
    }
    const RowSet live = lock_rows(target, spec, columns, key_names, keys_of(slice, key_places));

    std::unordered_map<std::string, std::size_t> live_rows;
    for (std::size_t row = 0; row < live.size(); ++row)
        live_rows[key_fingerprint(live.key(row, live_key_places))] = row;
    RowSet kept(slice.columns());
    std::uint64_t drifted = 0;
    std::vector<std::string> examples;
    for (std::size_t row = 0; row < slice.size(); ++row) {
        const Key key = slice.key(row, key_places);
        const auto found = live_rows.find(key_fingerprint(key));
        bool same = found != live_rows.end();
        for (std::size_t i = 0; same && i < columns.places.size(); ++i) {
            same = slice.at(row, columns.places[i]) == live.at(found->second, i);
        }
        if (same) {
            kept.add_row(slice, row);
        } else if (++drifted <= most_examples) {
            examples.push_back(key_text(key));
        }
    }
    capturing.note_drift(drifted, std::move(examples));
    capturing.take_pre(std::move(kept));
    return capturing.change_and_compare();
}

}  // namespace datachange
