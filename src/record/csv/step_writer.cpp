#include "record/csv/step_writer.hpp"

#include <utility>

#include "record/csv/csv_value.hpp"
#include "record/ledger/json_cells.hpp"

namespace datachange {

namespace {

void end_line(CsvFile& file) {
    file.buffer() += "\r\n";
    file.written();
}

void write_header(CsvFile& file, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) file.buffer() += ',';
        append_csv_text(file.buffer(), names[i]);
    }
    end_line(file);
}

void write_line(CsvFile& file, const std::vector<std::string_view>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) file.buffer() += ',';
        append_csv_value(file.buffer(), cells[i]);
    }
    end_line(file);
}

std::unique_ptr<CsvFile> open(const RunFolder& folder, const std::string& name) {
    return std::make_unique<CsvFile>(folder.file(name), folder.partial());
}

std::string completed(std::unique_ptr<CsvFile>& file, std::vector<std::unique_ptr<CsvFile>>& files) {
    file->complete();
    std::string path = file->path();
    files.push_back(std::move(file));
    return path;
}

}  // namespace

StepWriter::StepWriter(StepLayout layout, const RunFolder& folder, const std::string& prefix)
    : m_layout(std::move(layout)),
      m_pre(open(folder, prefix + "pre.csv")),
      m_post(open(folder, prefix + "post.csv")),
      m_diff(open(folder, prefix + "diff.csv")) {
    if (!m_layout.watch) m_change = open(folder, prefix + "change.csv");
    write_header(*m_pre, or_identifier(m_layout.before));
    if (m_change) write_header(*m_change, or_identifier(m_layout.change));
    write_header(*m_post, or_identifier(m_layout.after));
    write_header(*m_diff, {"identifier", "action", "column", "before", "after"});
}

void StepWriter::write(const BlockRow& row) {
    const bool untouched = row.action == Action::unchanged || row.action == Action::missing;
    read_before(row);
    if (untouched && row.after.empty()) {
        m_after = m_before;
    } else {
        read_after(row);
    }
    if (!m_before.empty()) write_line(*m_pre, m_before);
    if (!m_after.empty()) write_line(*m_post, m_after);
    if (m_change) write_returned(row);
    if (!untouched) write_diff(row);
}

StepCsv StepWriter::complete() {
    StepCsv result;
    result.paths.pre = completed(m_pre, result.files);
    if (m_change) result.paths.change = completed(m_change, result.files);
    result.paths.post = completed(m_post, result.files);
    result.paths.diff = completed(m_diff, result.files);
    return result;
}

/// Columns that no batch has told: at least those of the key are known.
const std::vector<std::string>& StepWriter::or_identifier(const std::vector<std::string>& names) const {
    return names.empty() ? m_layout.identifier : names;
}

// What [] and {} stand for in images: see RowEncoder.

void StepWriter::read_before(const BlockRow& row) {
    m_before.clear();
    if (row.before.empty()) return;
    split_json_array(row.before, m_before);
    for (std::string_view& cell : m_before) {
        if (cell == "[]") cell = row.identifier;
        if (cell == "{}") cell = quoted(row.identifier);
    }
}

void StepWriter::read_after(const BlockRow& row) {
    m_after.clear();
    if (row.after.empty()) return;
    split_json_array(row.after, m_after);
    for (std::size_t i = 0; i < m_after.size(); ++i) {
        if (m_after[i] == "[]") m_after[i] = m_before.at(i);
    }
}

std::string_view StepWriter::quoted(std::string_view text) {
    m_quoted.assign(1, '"').append(text).append(1, '"');
    return m_quoted;
}

void StepWriter::write_returned(const BlockRow& row) {
    if (row.returned.empty()) {
        if (row.action != Action::missing && !m_layout.returned.empty()) write_derived(row, 0);
        return;
    }
    split_json_array(row.returned, m_entries);
    for (const std::string_view entry : m_entries) {
        split_json_array(entry, m_entry);
        const std::size_t statement = std::stoul(std::string{m_entry[0]}) - 1;
        if (m_entry.size() == 1) {
            write_derived(row, statement);
        } else {
            split_json_array(m_entry[1], m_values);
            write_change(m_layout.returned[statement]);
        }
    }
}

/// A row of RETURNING whose values are those of the image.
void StepWriter::write_derived(const BlockRow& row, std::size_t statement) {
    const StepLayout::Returned& returned = m_layout.returned[statement];
    const bool deleted = row.action == Action::deleted;
    const Cells& image = deleted ? m_before : m_after;
    m_values.clear();
    for (const std::size_t place : deleted ? returned.in_before : returned.in_after) {
        m_values.push_back(image.at(place));
    }
    write_change(returned);
}

void StepWriter::write_change(const StepLayout::Returned& returned) {
    m_line.clear();
    for (const std::size_t place : returned.of_union) {
        m_line.push_back(place == StepLayout::npos ? "null" : m_values.at(place));
    }
    write_line(*m_change, m_line);
}

void StepWriter::write_diff(const BlockRow& row) {
    if (m_before.empty()) {
        for (std::size_t i = 0; i < m_after.size(); ++i)
            write_difference(row, m_layout.after[i], "null", m_after[i]);
    } else if (m_after.empty()) {
        for (std::size_t i = 0; i < m_before.size(); ++i)
            write_difference(row, m_layout.before[i], m_before[i], "null");
    } else if (!write_differences(row, false)) {
        write_differences(row, true);
    }
}

/// Values of two types that read the same would puzzle in a file without types, so they have no line;
/// unless nothing else differs, for no updated row may be left out.
bool StepWriter::write_differences(const BlockRow& row, bool alike_too) {
    bool any = false;
    for (const StepLayout::Shared& column : m_layout.shared) {
        if (column.identifier && row.new_identifier.empty()) continue;
        const std::string_view before = m_before[column.before], after = m_after[column.after];
        if (before == after || (!alike_too && reads_alike(before, after))) continue;
        write_difference(row, column.name, before, after);
        any = true;
    }
    return any;
}

bool StepWriter::reads_alike(std::string_view before, std::string_view after) {
    // values of one sort that differ read otherwise, and nothing reads as NULL does
    const bool text = before.front() == '"', same_sort = text == (after.front() == '"');
    const bool plain = before.front() != '{' && after.front() != '{';
    if (plain && (same_sort || before == "null" || after == "null")) return false;
    m_field.clear();
    append_csv_value(m_field, before);
    const std::size_t end = m_field.size();
    append_csv_value(m_field, after);
    return std::string_view{m_field}.substr(0, end) == std::string_view{m_field}.substr(end);
}

void StepWriter::write_difference(const BlockRow& row, const std::string& column, std::string_view before,
                                  std::string_view after) {
    std::string& out = m_diff->buffer();
    append_csv_text(out, row.identifier);
    out += ',';
    out += action_name(row.action);
    out += ',';
    append_csv_text(out, column);
    out += ',';
    append_csv_value(out, before);
    out += ',';
    append_csv_value(out, after);
    end_line(*m_diff);
}

}  // namespace datachange
