#include "report/export_json.hpp"

#include "core/value_json.hpp"
#include "report/json.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

namespace {

/// Names as they stand before the values: "name":
std::vector<std::string> object_keys(const StepLayout::Names& names) {
    std::vector<std::string> keys;
    for (const std::string& name : names) keys.push_back(json_string(name) + ":");
    return keys;
}

void append_image(std::string& out, const std::vector<std::string>& keys, const RowImages::Cells& cells) {
    if (cells.empty()) {
        out += "null";
        return;
    }
    char separator = '{';
    for (std::size_t i = 0; i < cells.size(); ++i) {
        out += separator;
        out.append(keys.at(i)).append(cells[i]);
        separator = ',';
    }
    out += '}';
}

/// Hands each row to `take` as an object.
template <class Take>
void each_change(const ExportedRun& run, const LedgerStep& step, Take take) {
    const StepLayout layout = layout_of(step);
    const std::vector<std::string> before = object_keys(layout.before), after = object_keys(layout.after);
    ChangeReader rows = run.ledger.changes(run.run.run, step.step);
    std::string text;
    while (const ChangeRow* change = rows.next()) {
        text.assign("{\"step\":").append(std::to_string(step.step)).append(",\"batch\":");
        append_json_string(text, change->batch);
        text += ",\"identifier\":";
        append_json_string(text, change->row.identifier);
        if (!change->row.new_identifier.empty()) {
            text += ",\"new_identifier\":";
            append_json_string(text, change->row.new_identifier);
        }
        text.append(",\"action\":\"").append(action_name(change->row.action)).append("\",\"before\":");
        append_image(text, before, change->images->before());
        text += ",\"after\":";
        append_image(text, after, change->images->after());
        if (!change->row.returned.empty()) text.append(",\"returned\":").append(change->row.returned);
        text += '}';
        take(text);
    }
}

/// An object on one line, without what ends it.
std::string open_object(const ExportedRun& run) {
    std::string text = show_json(run.ledger, run.run);
    text.resize(text.rfind('}'));
    return text;
}

}  // namespace

void export_json(const ExportedRun& run, Output& to) {
    to.write(open_object(run) + ",\"changes\":[");
    const char* separator = "\n";
    for (const LedgerStep& step : run.steps) {
        each_change(run, step, [&](const std::string& row) {
            to.write(separator);
            to.write(row);
            separator = ",\n";
        });
    }
    to.write("\n]}\n");
    to.finish();
}

void export_ndjson(const ExportedRun& run, Output& to) {
    to.write(open_object(run) + "}\n");
    for (const LedgerStep& step : run.steps) {
        each_change(run, step, [&](std::string& row) { to.write(row += '\n'); });
    }
    to.finish();
}

}  // namespace datachange
