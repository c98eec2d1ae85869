#include "report/query_output.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/value_json.hpp"
#include "datachange/error.hpp"
#include "record/csv/csv_value.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

/// As people read it: texts without quotes, a blob as x'00ff'.
std::string plain_text(ValueView value) {
    if (value.is_null()) return "NULL";
    if (value.kind == ValueKind::blob) return fmt::format("x'{}'", to_hex(value.bytes));
    return std::string{value.bytes};
}

class TableOutput : public QueryOutput {
public:
    TableOutput(const std::vector<std::string>& columns, const TableStyle& style, Write write)
        : m_table(columns, style, std::move(write)) {}

    void row(const std::vector<ValueView>& values) override {
        std::vector<Cell> cells;
        for (const ValueView value : values)
            cells.push_back({plain_text(value), value.is_null() ? Paint::faint : Paint::none});
        m_table.add(std::move(cells));
    }
    void end() override { m_table.flush(); }

private:
    StreamedTable m_table;
};

class CsvOutput : public QueryOutput {
public:
    CsvOutput(const std::vector<std::string>& columns, Write write) : m_write(std::move(write)) {
        std::vector<std::string> names;
        std::string memory;
        for (const std::string& name : columns) names.emplace_back(csv_text(name, memory));
        m_write(join(names, ",") + "\n");
    }

    void row(const std::vector<ValueView>& values) override {
        m_line.clear();
        for (std::size_t i = 0; i < values.size(); ++i) {
            m_json.clear();
            append_json(m_json, values[i]);
            if (i > 0) m_line += ',';
            m_line += csv_value(m_json, m_memory);
        }
        m_write(m_line += '\n');
    }
    void end() override {}

private:
    Write m_write;
    std::string m_line, m_json, m_memory;
};

void require_different(std::vector<std::string> columns) {
    std::sort(columns.begin(), columns.end());
    const auto twice = std::adjacent_find(columns.begin(), columns.end());
    if (twice == columns.end()) return;
    throw Error(ExitCode::usage, fmt::format("two columns are named {}", *twice),
                "A JSON object holds but one of them: name the other with AS.");
}

/// One object a row; in an array, or one a line.
class JsonOutput : public QueryOutput {
public:
    JsonOutput(std::vector<std::string> columns, bool array, Write write)
        : m_columns(std::move(columns)), m_array(array), m_write(std::move(write)) {
        require_different(m_columns);
    }

    void row(const std::vector<ValueView>& values) override {
        JsonObject object;
        for (std::size_t i = 0; i < values.size(); ++i) {
            m_json.clear();
            append_json(m_json, values[i]);
            object.raw(m_columns[i], m_json);
        }
        if (!m_array) return m_write(object.text() + "\n");
        m_write((m_first ? "[\n" : ",\n") + object.text());
        m_first = false;
    }
    void end() override {
        if (m_array) m_write(m_first ? "[]\n" : "\n]\n");
    }

private:
    std::vector<std::string> m_columns;
    bool m_array;
    Write m_write;
    bool m_first = true;
    std::string m_json;
};

/// A cell of a table in Markdown, in which nothing of the value acts as mark-up of the table or as HTML.
std::string markdown_text(const std::string& text) {
    std::string out;
    for (const char c : printable(text)) {
        if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '|') {
            out += "\\|";
        } else if (c == '\\') {
            out += "\\\\";
        } else {
            out += c;
        }
    }
    return out;
}

class MarkdownOutput : public QueryOutput {
public:
    MarkdownOutput(const std::vector<std::string>& columns, Write write) : m_write(std::move(write)) {
        write_line(columns);
        write_line(std::vector<std::string>(columns.size(), "---"));
    }

    void row(const std::vector<ValueView>& values) override {
        std::vector<std::string> cells;
        for (const ValueView value : values) cells.push_back(markdown_text(plain_text(value)));
        write_line(cells);
    }
    void end() override {}

private:
    void write_line(const std::vector<std::string>& cells) { m_write("| " + join(cells, " | ") + " |\n"); }

    Write m_write;
};

}  // namespace

std::unique_ptr<QueryOutput> make_query_output(const std::string& format, std::vector<std::string> columns,
                                               const TableStyle& style, Write write) {
    if (format == "csv") return std::make_unique<CsvOutput>(columns, std::move(write));
    if (format == "json") return std::make_unique<JsonOutput>(std::move(columns), true, std::move(write));
    if (format == "ndjson") return std::make_unique<JsonOutput>(std::move(columns), false, std::move(write));
    if (format == "markdown") {
        for (std::string& name : columns) name = markdown_text(name);
        return std::make_unique<MarkdownOutput>(columns, std::move(write));
    }
    return std::make_unique<TableOutput>(columns, style, std::move(write));
}

}  // namespace datachange
