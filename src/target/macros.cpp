#include "target/macros.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

std::string row_of(const std::vector<std::string>& expressions) {
    return "(" + join(expressions, ", ") + ")";
}

namespace {

void require_width(const SqlPiece& piece, std::size_t width) {
    if (piece.arguments.size() == width) return;
    throw Error(ExitCode::usage,
                fmt::format("{} names {}, but the key has {}", piece.text,
                            counted(piece.arguments.size(), "column"), counted(width, "column")),
                "Name the columns of the key in its order.");
}

std::string bounds_of(const Key& key, const MacroWriter& writer) {
    std::vector<std::string> values;
    for (std::size_t column = 0; column < key.size(); ++column)
        values.push_back(writer.bound(key[column], column));
    return row_of(values);
}

std::string write_range(const SqlPiece& piece, const KeyRange& range, const MacroWriter& writer) {
    if (range.everything()) return "TRUE";
    const bool alone = !range.after || !range.upto;
    std::vector<std::string> conditions;
    if (range.after) {
        require_width(piece, range.after->size());
        conditions.push_back(
            writer.comparison(row_of(piece.arguments) + " > " + bounds_of(*range.after, writer), alone));
    }
    if (range.upto) {
        require_width(piece, range.upto->size());
        conditions.push_back(
            writer.comparison(row_of(piece.arguments) + " <= " + bounds_of(*range.upto, writer), alone));
    }
    return "(" + join(conditions, " AND ") + ")";
}

std::string write_affected(const SqlPiece& piece, const Scope& scope, const MacroWriter& writer) {
    if (!scope.affected || scope.affected->empty()) return "FALSE";
    require_width(piece, scope.affected->front().size());
    return "(" + writer.affected(piece.arguments) + ")";
}

}  // namespace

std::string write_macros(const SqlTemplate& sql, const Scope& scope, const MacroWriter& writer) {
    std::string text;
    for (const SqlPiece& piece : sql.pieces) {
        switch (piece.kind) {
            case SqlPiece::Kind::text:
                text += piece.text;
                break;
            case SqlPiece::Kind::batch:
                text += write_range(piece, scope.range, writer);
                break;
            case SqlPiece::Kind::affected:
                text += write_affected(piece, scope, writer);
                break;
        }
    }
    return text;
}

}  // namespace datachange
