#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/value_json.hpp"
#include "record/ledger/json_cells.hpp"
#include "report/ledger_report.hpp"
#include "report/streamed_table.hpp"
#include "report/table.hpp"
#include "report/value_text.hpp"

namespace datachange {

namespace {

/// Names, and JSON of their values.
using Fields = std::vector<std::pair<std::string, std::string_view>>;

/// The fields of an image; none if there was no such row.
Fields fields_of(const std::string& image) {
    std::vector<std::pair<std::string_view, std::string_view>> split;
    if (!image.empty()) split_json_object(image, split);
    Fields fields;
    for (const auto& [name, value] : split) fields.emplace_back(parse_json_string(name), value);
    return fields;
}

/// The field of that name, exactly or else regardless of case, as rows are compared; empty if there is none.
std::string_view value_of(const Fields& fields, const std::string& name) {
    const auto named = [&](const auto& field) { return field.first == name; };
    const auto nearly_named = [&](const auto& field) { return lower(field.first) == lower(name); };
    auto found = std::find_if(fields.begin(), fields.end(), named);
    if (found == fields.end()) found = std::find_if(fields.begin(), fields.end(), nearly_named);
    return found == fields.end() ? std::string_view{} : found->second;
}

std::string differences(const HistoryEntry& entry, ChangeStyle style) {
    const Fields before = fields_of(entry.before), after = fields_of(entry.after);
    const bool both = !before.empty() && !after.empty();
    std::string out;
    StreamedTable table({"column", "before", "after"}, {2, style.full ? 0 : TableStyle{}.widest, style.color},
                        [&](std::string_view text) { out += text; });
    bool any = false;
    for (const auto& [name, value] : before.empty() ? after : before) {
        const std::string_view was = value_of(before, name), is = value_of(after, name);
        if (both && (is.empty() || was == is)) continue;  // a column of pre alone has not changed
        table.add({{name}, before_cell(was), after_cell(is)});
        any = true;
    }
    table.flush();
    return any ? out : "";
}

std::string entry_text(const HistoryEntry& entry, ChangeStyle style) {
    const auto paint = [&](Paint wanted) { return style.color ? wanted : Paint::none; };
    std::string notes;
    if (!entry.new_identifier.empty()) notes += ", now " + entry.new_identifier;
    if (entry.reverses != 0) notes += fmt::format("  reverses run {}", entry.reverses);
    if (!entry.reversed_by.empty()) notes += fmt::format("  reversed by run {}", entry.reversed_by);
    const std::string run =
        fmt::format("run {}  {}  {} {}{}  by {}", entry.run, entry.started_at, entry.version, entry.name,
                    entry.ticket.empty() ? "" : "  " + entry.ticket, entry.operator_name);
    return fmt::format("{}  {} {}{}\n", painted(printable(run), paint(Paint::bold)), printable(entry.table),
                       painted(entry.action, paint(action_paint(entry.action))), printable(notes)) +
           differences(entry, style);
}

}  // namespace

std::string history_text(const std::vector<HistoryEntry>& entries, ChangeStyle style) {
    if (entries.empty()) return "nothing is recorded of that row\n";
    std::string out;
    for (const HistoryEntry& entry : entries) out += (out.empty() ? "" : "\n") + entry_text(entry, style);
    return out;
}

}  // namespace datachange
