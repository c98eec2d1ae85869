#include "core/value_json.hpp"
#include "report/diff.hpp"
#include "report/json.hpp"

namespace datachange {

namespace {

/// {"name":value}; nothing if there was no such row.
std::string image_json(const std::vector<LedgerColumn>& columns, const RowImages::Cells& cells) {
    if (cells.empty()) return {};
    JsonObject image;
    for (std::size_t i = 0; i < cells.size(); ++i) image.raw(columns[i].name, cells[i]);
    return image.text();
}

/// The columns alone that the filter asks for.
std::string part_json(const std::vector<Difference>& differences, std::string_view Difference::*value) {
    JsonObject image;
    bool any = false;
    for (const Difference& difference : differences) {
        if ((difference.*value).empty()) continue;
        image.raw(difference.column, difference.*value);
        any = true;
    }
    return any ? image.text() : "";
}

std::string row_json(const LedgerRun& run, const DiffRow& row, bool whole) {
    const auto& images = *row.change.images;
    std::vector<std::string> changed;
    for (const Difference& difference : row.differences) {
        if (difference.before != difference.after) changed.emplace_back(difference.column);
    }
    return JsonObject{}
        .add("run", run.run)
        .add("step", row.step.step)
        .add_or_null("table", row.step.table)
        .add("batch", row.change.batch)
        .add("identifier", row.change.row.identifier)
        .add_or_null("new_identifier", row.change.row.new_identifier)
        .add("action", action_name(row.change.row.action))
        .raw("changed", json_array_of_strings(changed))
        .raw("before", whole ? image_json(row.step.before, images.before())
                             : part_json(row.differences, &Difference::before))
        .raw("after", whole ? image_json(row.step.after, images.after())
                            : part_json(row.differences, &Difference::after))
        .text();
}

}  // namespace

void write_diff_json(const LedgerReader& ledger, const LedgerRun& run, const DiffFilter& filter,
                     const Write& write) {
    const char* before = "[\n";
    DiffReader(ledger, run, filter).each([&](const DiffRow& row) {
        write(before + row_json(run, row, filter.columns.empty()));
        before = ",\n";
    });
    write(*before == '[' ? "[]\n" : "\n]\n");
}

}  // namespace datachange
