#include "record/csv/step_writer.hpp"

#include <stdexcept>
#include <utility>

#include "record/csv/csv_value.hpp"
#include "record/ledger/json_cells.hpp"

namespace datachange {

namespace {

std::vector<std::string> csv_texts(const std::vector<std::string>& texts) {
    std::vector<std::string> fields;
    std::string memory;
    for (const std::string& text : texts) fields.emplace_back(csv_text(text, memory));
    return fields;
}

void write_header(CsvLines* lines, const std::vector<std::string>& names) {
    if (!lines) return;
    const std::vector<std::string> fields = csv_texts(names);
    lines->write_line(std::vector<std::string_view>(fields.begin(), fields.end()));
}

std::string completed(std::unique_ptr<CsvFile>& file, std::vector<std::unique_ptr<CsvFile>>& files) {
    file->complete();
    std::string path = file->path();
    files.push_back(std::move(file));
    return path;
}

}  // namespace

StepWriter::Open StepWriter::files_in(const RunFolder& folder, const std::string& prefix) {
    return [&folder, prefix](const std::string& name) {
        return std::make_unique<CsvFile>(folder.file(prefix + name), folder.partial());
    };
}

StepWriter::StepWriter(StepLayout layout, const Open& open)
    : m_layout(std::move(layout)),
      m_pre_file(open("pre.csv")),
      m_post_file(open("post.csv")),
      m_diff_file(open("diff.csv")) {
    if (!m_layout.watch) m_change_file = open("change.csv");
    m_lines = {m_pre_file.get(), m_change_file.get(), m_post_file.get(), m_diff_file.get()};
    write_headers();
}

StepWriter::StepWriter(StepLayout layout, const StepLines& lines)
    : m_layout(std::move(layout)), m_lines(lines) {
    write_headers();
}

void StepWriter::write_headers() {
    m_before_names = csv_texts(m_layout.before);
    m_after_names = csv_texts(m_layout.after);
    write_header(m_lines.pre, or_identifier(m_layout.before));
    write_header(m_lines.change, or_identifier(m_layout.change));
    write_header(m_lines.post, or_identifier(m_layout.after));
    write_header(m_lines.diff, {"identifier", "action", "column", "before", "after"});
}

void StepWriter::write(const BlockRow& row, const RowImages& images) {
    read(images);
    if (m_lines.pre && !m_before.fields.empty()) m_lines.pre->write_line(m_before.fields);
    if (m_lines.post && !m_after.fields.empty()) m_lines.post->write_line(m_after.fields);
    if (m_lines.change) write_returned(row);
    const bool changed = row.action != Action::unchanged && row.action != Action::missing;
    if (m_lines.diff && changed) write_diff(row, images);
}

StepCsv StepWriter::complete() {
    StepCsv result;
    result.paths.pre = completed(m_pre_file, result.files);
    if (m_change_file) result.paths.change = completed(m_change_file, result.files);
    result.paths.post = completed(m_post_file, result.files);
    result.paths.diff = completed(m_diff_file, result.files);
    return result;
}

bool StepWriter::differs() {
    return m_pre_file->differs() || m_post_file->differs() || m_diff_file->differs() ||
           (m_change_file && m_change_file->differs());
}

/// Columns that no batch has told: at least those of the key are known.
const std::vector<std::string>& StepWriter::or_identifier(const std::vector<std::string>& names) const {
    return names.empty() ? m_layout.identifier : names;
}

void StepWriter::Line::set(const Fields& json) {
    if (memory.size() < json.size()) memory.resize(json.size());
    fields.resize(json.size());
    for (std::size_t i = 0; i < json.size(); ++i) fields[i] = csv_value(json[i], memory[i]);
}

namespace {

/// A ledger that somebody has edited may have any.
void require_as_many(const std::vector<std::string_view>& values, const std::vector<std::string>& columns) {
    if (!values.empty() && values.size() != columns.size())
        throw std::invalid_argument("a row has other columns than its step");
}

}  // namespace

void StepWriter::read(const RowImages& images) {
    require_as_many(images.before(), m_layout.before);
    require_as_many(images.after(), m_layout.after);
    m_before.set(images.before());
    if (images.same()) {
        m_after.fields = m_before.fields;
    } else {
        m_after.set(images.after());
    }
}

void StepWriter::write_returned(const BlockRow& row) {
    if (row.returned.empty()) {
        if (row.action != Action::missing && !m_layout.returned.empty()) write_derived(row, 0);
        return;
    }
    split_json_array(row.returned, m_entries);
    for (const std::string_view entry : m_entries) {
        split_json_array(entry, m_entry);
        const std::size_t statement = std::stoul(std::string{m_entry.at(0)}) - 1;
        if (m_entry.size() == 1) {
            write_derived(row, statement);
        } else {
            split_json_array(m_entry[1], m_values);
            m_returned.set(m_values);
            write_change(m_layout.returned.at(statement));
        }
    }
}

/// A row of RETURNING whose values are those of the image.
void StepWriter::write_derived(const BlockRow& row, std::size_t statement) {
    const StepLayout::Returned& returned = m_layout.returned.at(statement);
    const bool deleted = row.action == Action::deleted;
    const Fields& image = deleted ? m_before.fields : m_after.fields;
    m_returned.fields.clear();
    for (const std::size_t place : deleted ? returned.in_before : returned.in_after) {
        m_returned.fields.push_back(image.at(place));
    }
    write_change(returned);
}

/// m_returned, with an empty field for each column that only other statements have.
void StepWriter::write_change(const StepLayout::Returned& returned) {
    m_line.clear();
    for (const std::size_t place : returned.of_union) {
        m_line.push_back(place == StepLayout::npos ? std::string_view{} : m_returned.fields.at(place));
    }
    m_lines.change->write_line(m_line);
}

void StepWriter::write_diff(const BlockRow& row, const RowImages& images) {
    m_difference = {csv_text(row.identifier, m_identifier), action_name(row.action), {}, {}, {}};
    if (m_before.fields.empty()) {
        for (std::size_t i = 0; i < m_after.fields.size(); ++i)
            write_difference(m_after_names[i], {}, m_after.fields[i]);
    } else if (m_after.fields.empty()) {
        for (std::size_t i = 0; i < m_before.fields.size(); ++i)
            write_difference(m_before_names[i], m_before.fields[i], {});
    } else if (!write_differences(row, images, false)) {
        write_differences(row, images, true);
    }
}

/// Values of two types that read the same would puzzle in a file without types, so they have no line;
/// unless nothing else differs, for no updated row may be left out.
bool StepWriter::write_differences(const BlockRow& row, const RowImages& images, bool alike_too) {
    bool any = false;
    for (const StepLayout::Shared& column : m_layout.shared) {
        if (column.identifier && row.new_identifier.empty()) continue;
        if (images.before()[column.before] == images.after()[column.after]) continue;
        const std::string_view before = m_before.fields[column.before], after = m_after.fields[column.after];
        if (before == after && !alike_too) continue;
        write_difference(m_before_names[column.before], before, after);
        any = true;
    }
    return any;
}

/// One line; its first two fields are there.
void StepWriter::write_difference(std::string_view column, std::string_view before, std::string_view after) {
    m_difference[2] = column;
    m_difference[3] = before;
    m_difference[4] = after;
    m_lines.diff->write_line(m_difference);
}

}  // namespace datachange
