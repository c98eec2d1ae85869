#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "report/ledger_report.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

/// The fields of a JSON object as they are written, in order; numbers are not re-printed.
std::vector<std::pair<std::string, std::string>> raw_fields(const std::string& json) {
    std::vector<std::pair<std::string, std::string>> fields;
    if (json.empty()) return fields;
    class Fields : public nlohmann::json_sax<nlohmann::json> {
    public:
        std::vector<std::pair<std::string, std::string>> fields;
        std::string wrapped_in;  // inside {"$blob": ...} and the like

        bool take(std::string text) {
            if (depth == 2) {
                fields.back().second = wrapped_in + " " + text;
            } else {
                fields.back().second = std::move(text);
            }
            return true;
        }
        bool null() override { return take("NULL"); }
        bool boolean(bool value) override { return take(value ? "true" : "false"); }
        bool number_integer(number_integer_t value) override { return take(std::to_string(value)); }
        bool number_unsigned(number_unsigned_t value) override { return take(std::to_string(value)); }
        bool number_float(number_float_t, const string_t& raw) override { return take(raw); }
        bool string(string_t& value) override { return take("\"" + value + "\""); }
        bool binary(binary_t&) override { return false; }
        bool start_object(std::size_t) override { return ++depth <= 2; }
        bool end_object() override { return --depth >= 0; }
        bool start_array(std::size_t) override { return false; }
        bool end_array() override { return false; }
        bool key(string_t& name) override {
            if (depth == 2) {
                wrapped_in = name.substr(1);
            } else {
                fields.emplace_back(name, "");
            }
            return true;
        }
        bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
            return false;
        }
        int depth = 0;
    } reader;
    nlohmann::json::sax_parse(json, &reader);
    return reader.fields;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The field of that name, exactly or else regardless of case, as rows are compared; nullptr if there is
/// none.
const std::string* value_of(const Fields& fields, const std::string& name) {
    const auto named = [&](const auto& field) { return field.first == name; };
    const auto nearly_named = [&](const auto& field) { return lower(field.first) == lower(name); };
    auto found = std::find_if(fields.begin(), fields.end(), named);
    if (found == fields.end()) found = std::find_if(fields.begin(), fields.end(), nearly_named);
    return found == fields.end() ? nullptr : &found->second;
}

Table differences(const Fields& before, const Fields& after) {
    Table table({"column", "before", "after"});
    const bool both = !before.empty() && !after.empty();
    for (const auto& [name, value] : before.empty() ? after : before) {
        const std::string* was = value_of(before, name);
        const std::string* is = value_of(after, name);
        if (both && (is == nullptr || *was == *is)) continue;  // a column of pre alone has not changed
        table.add({name, was == nullptr ? "" : *was, is == nullptr ? "" : *is});
    }
    return table;
}

std::string entry_text(const HistoryEntry& entry) {
    std::string out = fmt::format(
        "run {}  {}  {} {}{}  by {}  {} {}{}\n", entry.run, entry.started_at, entry.version, entry.name,
        entry.ticket.empty() ? "" : "  " + entry.ticket, entry.operator_name, entry.table, entry.action,
        entry.new_identifier.empty() ? "" : ", now " + printable(entry.new_identifier));
    const Table table = differences(raw_fields(entry.before), raw_fields(entry.after));
    return table.empty() ? out : out + table.text(2, 60);
}

}  // namespace

std::string history_text(const std::vector<HistoryEntry>& entries) {
    if (entries.empty()) return "nothing is recorded of that row\n";
    std::string out;
    for (const HistoryEntry& entry : entries) out += (out.empty() ? "" : "\n") + entry_text(entry);
    return out;
}

}  // namespace datachange
