#include "capture/capture.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "capture/capturing.hpp"
#include "capture/surroundings.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

/// change, post, compare and witness for a batch whose pre is there.
StepCapture change_and_compare(Capturing& batch, Surroundings& around, const CaptureSpec& spec) {
    batch.affect_pre();
    around.read_watches(&BatchCapture::pre, batch.scope());
    batch.change();
    if (!batch.derive_post()) {
        batch.query_post();
        around.read_watches(&BatchCapture::post, batch.scope());
        if (!spec.returned_post) batch.read_witness();
    }
    batch.compare_rows();
    StepCapture capture;
    AccountedRows accounted = around.account();
    accounted.add(batch.rows());
    around.conclude(capture, batch.touched(), accounted);
    batch.refuse_unexpected();
    capture.rows = batch.take_rows();
    capture.missing_example = first_missing(capture.rows);
    return capture;
}

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
RowSet read_locked(Target& target, const CaptureSpec& spec, const TableColumns& columns,
                   const std::vector<std::string>& key_names, const std::vector<Key>& keys) {
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = spec.identifier_types;
    SqlTemplate sql = rows_by_key(quote_names(columns.names), spec.table, key_names, target.lock_clause());
    sql.redact = spec.pre.redact;
    return target.query(sql, scope);
}

}  // namespace

BatchCapture StepCapture::take_rows() {
    BatchCapture taken = std::exchange(rows, {});
    rows.counts = taken.counts;
    return taken;
}

std::string first_missing(const BatchCapture& rows) {
    if (rows.counts.missing == 0) return {};
    const auto found = std::find_if(rows.rows.begin(), rows.rows.end(),
                                    [](const AuditedRow& row) { return row.action == Action::missing; });
    return found->identifier;
}

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
    Surroundings around(target, spec);
    Capturing batch(target, spec, range, around.touched_before());
    lock_first ? batch.read_pre_locked() : batch.read_pre();
    return change_and_compare(batch, around, spec);
}

StepCapture capture_keys(Target& target, const CaptureSpec& spec, std::vector<Key> keys) {
    Surroundings around(target, spec);
    Capturing batch(target, spec, {}, around.touched_before());
    lock_rows(target, spec, keys);
    batch.affect(std::move(keys));
    batch.read_pre();
    return change_and_compare(batch, around, spec);
}

StepCapture capture_slice(Target& target, const CaptureSpec& spec, const RowSet& slice) {
    Surroundings around(target, spec);
    Capturing batch(target, spec, {}, around.touched_before());
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
    const RowSet live = read_locked(target, spec, columns, key_names, keys_of(slice, key_places));

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
    batch.take_pre(std::move(kept));
    StepCapture capture = change_and_compare(batch, around, spec);
    capture.drifted = drifted;
    capture.drifted_keys = std::move(examples);
    return capture;
}

}  // namespace datachange
