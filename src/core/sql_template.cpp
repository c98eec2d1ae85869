#include "core/sql_template.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace datachange {

const SqlPiece* SqlTemplate::find(SqlPiece::Kind kind) const {
    const auto found = std::find_if(pieces.begin(), pieces.end(),
                                    [kind](const SqlPiece& piece) { return piece.kind == kind; });
    return found == pieces.end() ? nullptr : &*found;
}

bool SqlTemplate::uses(SqlPiece::Kind kind) const {
    return find(kind) != nullptr;
}

std::string SqlTemplate::text() const {
    std::string text;
    for (const SqlPiece& piece : pieces) text += piece.text;
    return text;
}

SqlTemplate wrap(const std::string& prefix, const SqlTemplate& inner, const std::string& suffix) {
    SqlTemplate wrapped;
    wrapped.at = inner.at;
    wrapped.redact = inner.redact;
    wrapped.pieces.push_back({SqlPiece::Kind::text, prefix + "\n", {}, {}});
    wrapped.pieces.insert(wrapped.pieces.end(), inner.pieces.begin(), inner.pieces.end());
    wrapped.pieces.push_back({SqlPiece::Kind::text, "\n" + suffix, {}, {}});
    return wrapped;
}

SqlTemplate plain_sql(std::string text) {
    return {{{SqlPiece::Kind::text, std::move(text), {}, {}}}, {}};
}

std::string quote_name(const std::string& name) {
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

std::string quote_names(const std::vector<std::string>& names) {
    std::vector<std::string> quoted;
    for (const std::string& name : names) quoted.push_back(quote_name(name));
    return join(quoted, ", ");
}

}  // namespace datachange
