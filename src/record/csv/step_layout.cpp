#include "record/csv/step_layout.hpp"

#include <algorithm>

#include "core/row_set.hpp"
#include "core/value_json.hpp"
#include "record/ledger/json_cells.hpp"

namespace datachange {

namespace {

using Names = StepLayout::Names;

Names parse_names(const std::string& json) {
    Names names;
    if (json.empty()) return names;
    for (const Value& name : parse_json_array(json)) names.push_back(name.bytes);
    return names;
}

std::size_t place_of(const Names& names, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? StepLayout::npos : static_cast<std::size_t>(found - names.begin());
}

std::vector<std::size_t> places_of(const Names& wanted, const Names& names) {
    std::vector<std::size_t> places;
    for (const std::string& name : wanted) places.push_back(place_of(names, name));
    return places;
}

/// As compare finds them: exactly, or else regardless of case.
std::vector<StepLayout::Shared> shared_columns(const StepLayout& layout) {
    std::vector<Column> after, identifier;
    for (const std::string& name : layout.after) after.push_back({name, {}, {}, {}});
    for (const std::string& name : layout.identifier) identifier.push_back({name, {}, {}, {}});
    std::vector<StepLayout::Shared> shared;
    for (std::size_t i = 0; i < layout.before.size(); ++i) {
        const std::string& name = layout.before[i];
        if (const auto place = find_column(after, name)) {
            shared.push_back({name, i, *place, find_column(identifier, name).has_value()});
        }
    }
    return shared;
}

std::vector<Names> parse_lists(const std::string& json) {
    std::vector<Names> lists;
    if (json.empty()) return lists;
    std::vector<std::string_view> statements;
    split_json_array(json, statements);
    for (const std::string_view columns : statements) lists.push_back(parse_names(std::string{columns}));
    return lists;
}

/// @param lists columns of each statement's RETURNING
void add_returned(StepLayout& layout, const std::vector<Names>& lists) {
    for (const Names& columns : lists) {
        StepLayout::Returned returned;
        returned.columns = columns;
        returned.in_before = places_of(returned.columns, layout.before);
        returned.in_after = places_of(returned.columns, layout.after);
        for (const std::string& name : returned.columns) {
            if (place_of(layout.change, name) == StepLayout::npos) layout.change.push_back(name);
        }
        layout.returned.push_back(std::move(returned));
    }
    for (StepLayout::Returned& returned : layout.returned) {
        returned.of_union = places_of(layout.change, returned.columns);
    }
}

Names names_of(const std::vector<LedgerColumn>& columns) {
    Names names;
    for (const LedgerColumn& column : columns) names.push_back(column.name);
    return names;
}

}  // namespace

StepLayout layout_of(const LedgerStep& step) {
    StepLayout layout;
    layout.watch = step.watch_of != 0;
    layout.counts_only = step.evidence == "counts";
    layout.identifier = step.identifier;
    layout.before = names_of(step.before);
    layout.after = names_of(step.after);
    std::vector<Names> returned;
    for (const std::vector<LedgerColumn>& columns : step.returned) returned.push_back(names_of(columns));
    add_returned(layout, returned);
    layout.shared = shared_columns(layout);
    return layout;
}

StepLayout read_layout(Ledger& ledger, std::int64_t run_id, int step) {
    SQLite::Statement& query = ledger.bound(
        "SELECT watch_of IS NOT NULL, evidence = 'counts', identifier_columns, before_columns, after_columns,"
        " returned_columns FROM steps WHERE run_id = ? AND step = ?",
        run_id, step);
    query.executeStep();
    StepLayout layout;
    layout.watch = query.getColumn(0).getInt() != 0;
    layout.counts_only = query.getColumn(1).getInt() != 0;
    layout.identifier = parse_names(query.getColumn(2).getString());
    layout.before = parse_names(query.getColumn(3).getString());
    layout.after = parse_names(query.getColumn(4).getString());
    add_returned(layout, parse_lists(query.getColumn(5).getString()));
    query.reset();
    layout.shared = shared_columns(layout);
    return layout;
}

}  // namespace datachange
