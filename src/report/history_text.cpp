#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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

std::string value_of(const std::vector<std::pair<std::string, std::string>>& fields,
                     const std::string& name) {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
    return found == fields.end() ? "" : found->second;
}

std::string entry_text(const HistoryEntry& entry) {
    std::string out = fmt::format(
        "run {}  {}  {} {}{}  by {}  {} {}{}\n", entry.run, entry.started_at, entry.version, entry.name,
        entry.ticket.empty() ? "" : "  " + entry.ticket, entry.operator_name, entry.table, entry.action,
        entry.new_identifier.empty() ? "" : ", now " + printable(entry.new_identifier));
    const auto before = raw_fields(entry.before);
    const auto after = raw_fields(entry.after);
    Table table({"column", "before", "after"});
    for (const auto& [name, value] : before.empty() ? after : before) {
        const std::string was = value_of(before, name);
        const std::string is = value_of(after, name);
        if (was != is) table.add({name, was, is});
    }
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
