#include "record/ledger/stored_row.hpp"

#include <algorithm>

#include "core/value_json.hpp"

namespace datachange {

RowEncoder::RowEncoder(const BatchCapture& capture, const std::vector<std::string>& identifier,
                       bool keys_only)
    : m_capture(capture),
      m_before(keep(capture.pre, identifier, keys_only)),
      m_after(keep(capture.post, identifier, keys_only)) {
    for (const RowSet& returned : capture.returned) {
        m_returned.push_back(keep(returned, identifier, keys_only));
        m_derivations.push_back({derive(m_returned.back(), m_before), derive(m_returned.back(), m_after)});
    }
    m_same_columns = column_names(m_before.columns) == column_names(m_after.columns);
    const auto place = identifier.size() == 1 ? find_column(m_before.columns, identifier[0]) : std::nullopt;
    m_identifier = place.value_or(AuditedRow::npos);
}

RowEncoder::Kept RowEncoder::keep(const RowSet& rows, const std::vector<std::string>& identifier,
                                  bool keys_only) {
    Kept kept;
    std::vector<bool> wanted(rows.width(), !keys_only);
    for (const std::string& name : identifier) {
        for (const std::string& known_as : {name, "was_" + name}) {
            if (const auto place = find_column(rows.columns(), known_as)) wanted[*place] = true;
        }
    }
    for (std::size_t place = 0; place < rows.width(); ++place) {
        if (!wanted[place]) continue;
        kept.columns.push_back(rows.columns()[place]);
        kept.places.push_back(place);
    }
    return kept;
}

std::vector<std::size_t> RowEncoder::derive(const Kept& returned, const Kept& image) {
    std::vector<std::size_t> places;
    for (const Column& column : returned.columns) {
        const auto found = std::find_if(image.columns.begin(), image.columns.end(),
                                        [&](const Column& other) { return other.name == column.name; });
        if (found == image.columns.end()) return {};
        places.push_back(image.places[static_cast<std::size_t>(found - image.columns.begin())]);
    }
    return places;
}

std::vector<std::vector<Column>> RowEncoder::returned_columns() const {
    std::vector<std::vector<Column>> columns;
    for (const Kept& kept : m_returned) columns.push_back(kept.columns);
    return columns;
}

void RowEncoder::append_values(std::string& out, const RowSet& rows, std::size_t row, const Kept& kept) {
    char before = '[';
    for (const std::size_t place : kept.places) {
        out += before;
        append_json(out, rows.at(row, place));
        before = ',';
    }
    out += kept.places.empty() ? "[]" : "]";
}

const StoredRow& RowEncoder::encode(const AuditedRow& row) {
    m_row.action = static_cast<int>(row.action);
    m_row.identifier = row.identifier;
    m_row.new_identifier = row.new_identifier;
    encode_before(row);
    encode_after(row);
    encode_returned(row);
    return m_row;
}

void RowEncoder::encode_before(const AuditedRow& row) {
    std::string& out = m_row.before;
    out.clear();
    if (row.pre == AuditedRow::npos) return;
    char separator = '[';
    for (std::size_t i = 0; i < m_before.places.size(); ++i) {
        out += separator;
        separator = ',';
        m_value.clear();
        append_json(m_value, m_capture.pre.at(row.pre, m_before.places[i]));
        if (i == m_identifier && m_value.size() > 2) {
            if (m_value == row.identifier) m_value = "[]";
            if (m_value.front() == '"' &&
                std::string_view{m_value}.substr(1, m_value.size() - 2) == row.identifier)
                m_value = "{}";
        }
        out += m_value;
    }
    out += ']';
}

void RowEncoder::encode_after(const AuditedRow& row) {
    std::string& out = m_row.after;
    out.clear();
    const bool untouched = row.action == Action::unchanged || row.action == Action::missing;
    if (row.post == AuditedRow::npos) {
        if (untouched) out = "[]";
        return;
    }
    const bool comparable = m_same_columns && row.pre != AuditedRow::npos;
    bool same = comparable;
    char separator = '[';
    for (std::size_t i = 0; i < m_after.places.size(); ++i) {
        out += separator;
        separator = ',';
        const ValueView value = m_capture.post.at(row.post, m_after.places[i]);
        const bool as_before = comparable && value == m_capture.pre.at(row.pre, m_before.places[i]);
        same = same && as_before;
        const std::size_t start = out.size();
        append_json(out, value);
        if (as_before && out.size() - start > 2) out.replace(start, std::string::npos, "[]");
    }
    out += ']';
    if (untouched && same) out.clear();
}

void RowEncoder::encode_returned(const AuditedRow& row) {
    std::string& out = m_row.returned;
    out.clear();
    const bool none_expected = row.action == Action::missing || m_returned.empty();
    if (row.returned.empty()) {
        if (!none_expected) out = "[]";
        return;
    }
    const bool as_expected = !none_expected && row.returned.size() == 1 && row.returned[0].statement == 0;
    if (as_expected && derivable(row, row.returned[0])) return;
    char before = '[';
    for (const AuditedRow::Returned& returned : row.returned) {
        out += before;
        out += '[';
        out += std::to_string(returned.statement + 1);
        if (!derivable(row, returned)) {
            out += ',';
            append_values(out, m_capture.returned[returned.statement], returned.row,
                          m_returned[returned.statement]);
        }
        out += ']';
        before = ',';
    }
    out += ']';
}

bool RowEncoder::derivable(const AuditedRow& row, const AuditedRow::Returned& returned) const {
    const Derivation& derivation = m_derivations[returned.statement];
    const bool deleted = row.action == Action::deleted;
    const std::size_t image_row = deleted ? row.pre : row.post;
    if (image_row == AuditedRow::npos) return false;
    const RowSet& image = deleted ? m_capture.pre : m_capture.post;
    const std::vector<std::size_t>& places = deleted ? derivation.from_before : derivation.from_after;
    const RowSet& rows = m_capture.returned[returned.statement];
    const Kept& kept = m_returned[returned.statement];
    if (places.size() != kept.places.size() || places.empty()) return false;
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (rows.at(returned.row, kept.places[i]) != image.at(image_row, places[i])) return false;
    }
    return true;
}

}  // namespace datachange
