#include "report/html_data.hpp"

#include <array>

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/value_json.hpp"

namespace datachange {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{64} * 1024 * 1024;
constexpr std::size_t longest_value = std::size_t{32} * 1024;
constexpr std::array actions{Action::updated,   Action::inserted, Action::deleted,
                             Action::unchanged, Action::missing,  Action::unexpected};
constexpr const char* changing = "[0,1,2,5]";

/// JSON that cannot end the <script> it stands in, nor begin a comment there.
void append_for_script(std::string& out, std::string_view json) {
    for (const char c : json) {
        if (c == '<') {
            out += "\\u003c";
        } else {
            out += c;
        }
    }
}

/// The places of a column in the images of a row; npos: it is not there.
struct PairedColumn {
    std::string name;
    std::size_t before, after;
    bool identifier;
};

std::vector<PairedColumn> paired_columns(const StepLayout& layout) {
    std::vector<PairedColumn> columns;
    std::vector<bool> shared_after(layout.after.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < layout.before.size(); ++i) {
        if (next < layout.shared.size() && layout.shared[next].before == i) {
            const StepLayout::Shared& both = layout.shared[next++];
            shared_after[both.after] = true;
            columns.push_back({both.name, i, both.after, both.identifier});
        } else {
            columns.push_back({layout.before[i], i, StepLayout::npos, false});
        }
    }
    for (std::size_t i = 0; i < layout.after.size(); ++i) {
        if (!shared_after[i]) columns.push_back({layout.after[i], StepLayout::npos, i, false});
    }
    return columns;
}

std::string place(std::size_t at) {
    return at == StepLayout::npos ? "-1" : std::to_string(at);
}

void append_table(std::string& out, const LedgerStep& step, const std::vector<PairedColumn>& columns) {
    std::vector<std::string> items;
    for (const PairedColumn& column : columns) {
        items.push_back(fmt::format("[{},{},{},{}]", json_string(column.name), place(column.before),
                                    place(column.after), column.identifier));
    }
    append_for_script(out, fmt::format("{{\"title\":{},\"columns\":[{}]}}",
                                       json_string(ExportedRun::title_of(step)), join(items, ",")));
}

/// Integers of up to 15 digits are what JavaScript has; -0 is not an integer there.
bool is_plain_integer(std::string_view number) {
    const bool negative = number.front() == '-';
    const std::string_view digits = number.substr(negative ? 1 : 0);
    return digits.size() <= 15 && digits.find_first_not_of("0123456789") == std::string_view::npos &&
           !(negative && digits == "0");
}

/// The beginning of a text that is cut, and not within a character.
std::string_view beginning(std::string_view text) {
    std::size_t end = longest_value;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

void append_value(std::string& out, std::string_view json) {
    const char first = json.front();
    if (first == '-' || (first >= '0' && first <= '9')) {
        if (is_plain_integer(json)) {
            out += json;
        } else {
            out.append("{\"$n\":\"").append(json).append("\"}");
        }
    } else if (json.size() <= longest_value) {
        append_for_script(out, json);
    } else if (first == '"') {
        const std::string text = parse_json_string(json);
        const bool cut = text.size() > longest_value;
        const std::string shown = json_string(cut ? beginning(text) : text);
        if (cut) out += '[';
        append_for_script(out, shown);
        if (cut) out += fmt::format(",{}]", text.size());
    } else {  // {"$blob":"00ff"}
        const std::size_t begin = json.find(':') + 2;
        const std::size_t digits = json.size() - begin - 2;
        out.append(1, '[').append(json.substr(0, begin)).append(json.substr(begin, longest_value));
        out += fmt::format("\"}},{}]", digits / 2);
    }
}

void append_before(std::string& out, const RowImages::Cells& cells) {
    if (cells.empty()) {
        out += '0';
        return;
    }
    char separator = '[';
    for (const std::string_view cell : cells) {
        out += separator;
        append_value(out, cell);
        separator = ',';
    }
    out += ']';
}

/// @param as_before for each column after: its place before, or npos
void append_after(std::string& out, const RowImages& images, const std::vector<std::size_t>& as_before) {
    const RowImages::Cells& before = images.before();
    const RowImages::Cells& after = images.after();
    if (images.same() || after.empty()) {
        out += images.same() && !before.empty() ? '1' : '0';
        return;
    }
    char separator = '[';
    for (std::size_t i = 0; i < after.size(); ++i) {
        out += separator;
        separator = ',';
        const std::size_t other = as_before[i];
        if (!before.empty() && other != StepLayout::npos && before[other] == after[i]) {
            out += "[]";
        } else {
            append_value(out, after[i]);
        }
    }
    out += ']';
}

void append_text(std::string& out, std::string_view text) {
    append_for_script(out, json_string(text));
}

}  // namespace

HtmlRows write_html_data(const ExportedRun& run, std::uint64_t limit, Output& to) {
    std::vector<std::vector<PairedColumn>> columns;
    std::string text = "{\"tables\":[";
    for (const LedgerStep& step : run.steps) {
        columns.push_back(paired_columns(layout_of(step)));
        if (columns.size() > 1) text += ',';
        append_table(text, step, columns.back());
    }
    text += "],\"actions\":[";
    for (const Action action : actions)
        text += fmt::format("{}\"{}\"", action == actions.front() ? "" : ",", action_name(action));
    text += fmt::format("],\"changing\":{},\"rows\":[", changing);
    HtmlRows rows;
    for (const LedgerBatch& batch : run.batches) {
        if (batch.state == "committed") rows.all += batch.audited;
    }
    std::uint64_t bytes = 0;
    const bool any = run.why_no_rows().empty();
    for (std::size_t table = 0; any && table < run.steps.size(); ++table) {
        std::vector<std::size_t> as_before(run.steps[table].after.size(), StepLayout::npos);
        for (const PairedColumn& column : columns[table]) {
            if (column.after != StepLayout::npos) as_before[column.after] = column.before;
        }
        ChangeReader changes = run.ledger.changes(run.run.run, run.steps[table].step);
        while (rows.written < limit && !rows.too_many_bytes) {
            const ChangeRow* const change = changes.next();
            if (!change) break;
            text += rows.written == 0 ? "\n[" : ",\n[";
            text += fmt::format("{},{},", table, static_cast<int>(change->row.action));
            append_text(text, change->row.identifier);
            text += ',';
            if (change->row.new_identifier.empty()) {
                text += '0';
            } else {
                append_text(text, change->row.new_identifier);
            }
            text += ',';
            append_before(text, change->images->before());
            text += ',';
            append_after(text, *change->images, as_before);
            text += ']';
            bytes += text.size();
            ++rows.written;
            to.write(text);
            text.clear();
            rows.too_many_bytes = bytes > most_bytes;
        }
    }
    to.write(text + "\n]}");
    to.finish();
    return rows;
}

}  // namespace datachange
