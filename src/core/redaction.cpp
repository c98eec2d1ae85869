#include "core/redaction.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/text.hpp"

namespace datachange {

namespace {

std::string_view kind_name(ValueKind kind) {
    switch (kind) {
        case ValueKind::boolean:
            return "boolean";
        case ValueKind::integer:
            return "integer";
        case ValueKind::real:
            return "real";
        case ValueKind::text:
            return "text";
        case ValueKind::blob:
            return "blob";
        case ValueKind::null:
        case ValueKind::digest:
            break;
    }
    throw std::logic_error("neither NULL nor a digest has a digest");
}

}  // namespace

bool is_redacted(const Column& column, const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        const std::string wanted = lower(name);
        const std::string given = lower(column.name);
        return given == wanted || given == "was_" + wanted || lower(column.origin_column) == wanted;
    });
}

RowSet Redactor::redacted(RowSet&& rows, const std::vector<std::string>& names) const {
    std::vector<bool> hidden;
    for (const Column& column : rows.columns()) hidden.push_back(is_redacted(column, names));
    if (std::none_of(hidden.begin(), hidden.end(), [](bool is) { return is; })) return std::move(rows);
    RowSet result(rows.columns());
    result.reserve(rows.size(), rows.bytes());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::size_t column = 0; column < rows.width(); ++column) {
            const ValueView value = rows.at(row, column);
            hidden[column] ? result.add(digest(value).view()) : result.add(value);
        }
    }
    return result;
}

Value Redactor::digest(ValueView value) const {
    if (value.is_null()) return {};
    return {ValueKind::digest, m_hmac.of({kind_name(value.kind), ":", value.bytes})};
}

std::string Redactor::fingerprint() const {
    return m_hmac.of({"datachange redaction key"}).substr(0, 16);
}

}  // namespace datachange
