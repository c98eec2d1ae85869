#include "migrate/schema_header.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace datachange {

namespace {

constexpr std::string_view known_key = "transaction";

bool is_yes_or_no(std::string_view value) {
    return value == "yes" || value == "no";
}

/// dbmate: migrate:down; goose: +goose Down; sql-migrate: +migrate Down; micrate: +micrate Down; MyBatis:
/// //@UNDO.
bool begins_down_part(std::string_view text) {
    const std::string words = lower(text);
    for (const char* mark : {"migrate:down", "+goose down", "+migrate down", "+micrate down", "//@undo"}) {
        const std::string_view wanted{mark};
        if (words.starts_with(wanted) && (words.size() == wanted.size() || words[wanted.size()] == ' '))
            return true;
    }
    return false;
}

bool opens_audit_section(std::string_view text) {
    for (const char* section :
         {"keys", "pre", "change", "post", "summary", "verify", "undo", "watch", "step"}) {
        const std::string directive = std::string{"audit:"} + section;
        if (text.starts_with(directive) && (text.size() == directive.size() || text[directive.size()] == ' '))
            return true;
    }
    return false;
}

}  // namespace

std::optional<SchemaComment> read_schema_comment(std::string_view comment) {
    using Kind = SchemaComment::Kind;
    const std::string_view text = trim(comment.substr(std::min<std::size_t>(2, comment.size())));
    if (begins_down_part(text)) return SchemaComment{Kind::down_part, text, ""};
    if (opens_audit_section(text)) return SchemaComment{Kind::audit, text, ""};
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view key = trim(text.substr(0, colon));
    const std::string_view value = trim(text.substr(colon + 1));
    if (lower(key) == known_key) {
        const bool said = key == known_key && is_yes_or_no(value);
        if (said) return SchemaComment{Kind::transaction, key, value};
        return SchemaComment{Kind::wrong_value, key, value};
    }
    const bool one_word = !key.empty() && key.find(' ') == std::string_view::npos;
    if (one_word && is_yes_or_no(lower(value)) &&
        !closest(lower(key), {std::string{known_key}, "transactional"}).empty())
        return SchemaComment{Kind::near, key, value};
    return std::nullopt;
}

}  // namespace datachange
