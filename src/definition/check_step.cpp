#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "definition/lexer.hpp"
#include "definition/names.hpp"
#include "definition/sections.hpp"

namespace datachange {

namespace {

using Macro = SqlPiece::Kind;

/// "the definition" or "step users"
std::string who(const Step& step) {
    return step.name.empty() ? "the definition" : "step " + step.name;
}

/// Every place of a macro in the step, in the order of design: keys, pre, change, post, watch, undo.
std::vector<const SqlPiece*> places_of(const Step& step, Macro macro) {
    std::vector<const SqlTemplate*> templates;
    for (const auto* query : {&step.keys, &step.pre, &step.post}) {
        if (*query) templates.push_back(&**query);
    }
    for (const ChangeStatement& statement : step.change) templates.push_back(&statement.sql);
    for (const Watch& watch : step.watches) templates.push_back(&watch.query);
    for (const ChangeStatement& statement : step.undo) templates.push_back(&statement.sql);
    std::vector<const SqlPiece*> places;
    for (const SqlTemplate* sql : templates) {
        for (const SqlPiece& piece : sql->pieces) {
            if (piece.kind == macro) places.push_back(&piece);
        }
    }
    return places;
}

void check_parts(const Step& step) {
    const std::string hint =
        "A step needs audit:pre and audit:change, or audit:verify alone, with audit:summary at most.";
    if (!step.pre) throw Mistake(step.at, fmt::format("{} has no audit:pre", who(step)), hint);
    if (step.change.empty()) throw Mistake(step.at, fmt::format("{} has no audit:change", who(step)), hint);
    if (step.identifier.empty()) {
        throw Mistake(step.at, fmt::format("{} has no identifier", who(step)),
                      step.name.empty()
                          ? "Add `-- identifier: id` before the first section."
                          : "Add `-- identifier: id` below the audit:step, or to the header of the file.");
    }
    if (!step.post && step.table.empty()) {
        throw Mistake(step.at, fmt::format("{} has no audit:post, and no table to read it from", who(step)),
                      "Add `-- table: NAME` to the header, or audit:post.");
    }
}

void check_change(const Step& step) {
    const bool changes = std::any_of(step.change.begin(), step.change.end(),
                                     [](const ChangeStatement& statement) { return statement.changes_data; });
    if (changes) return;
    throw Mistake(step.change.front().sql.at, "nothing in audit:change changes data",
                  "It holds INSERT, UPDATE, DELETE or the like; a function that changes data is called in a "
                  "DO block, with "
                  "`-- returning: none` in the header.");
}

void check_counts(const Step& step) {
    for (const Macro macro : {Macro::batch, Macro::affected}) {
        const std::vector<const SqlPiece*> places = places_of(step, macro);
        const bool by_keys = macro == Macro::batch && step.keys.has_value();
        const std::size_t wanted =
            by_keys && !places.empty() ? places[0]->arguments.size() : step.identifier.size();
        for (const SqlPiece* place : places) {
            if (place->arguments.size() == wanted) continue;
            throw Mistake(place->at,
                          fmt::format("{} has {}, but {} has {}", place->text,
                                      counted(place->arguments.size(), "argument"),
                                      by_keys ? "the first one of the step" : "the identifier",
                                      by_keys ? with_thousands(wanted) : counted(wanted, "column")),
                          by_keys ? "It names the columns of audit:keys, as many everywhere in the step."
                                  : fmt::format("It names the columns of the identifier in its order: {}.",
                                                join(step.identifier, ", ")));
        }
    }
}

bool is_redacted(const Step& step, Engine engine, const std::string& column) {
    return std::any_of(step.redact.begin(), step.redact.end(),
                       [&](const std::string& other) { return same_name(other, column, engine); });
}

void check_redacted_identifier(const Step& step, Engine engine, SourcePosition at,
                               const std::vector<std::string>& identifier) {
    for (const std::string& column : identifier) {
        if (!is_redacted(step, engine, column)) continue;
        throw Mistake(at, fmt::format("{} is both identifier and redacted", column),
                      "Rows could not be named any more; take another identifier, or do not redact it.");
    }
}

void check_redaction(const Step& step, Engine engine, SourcePosition at) {
    check_redacted_identifier(step, engine, at, step.identifier);
    for (const Watch& watch : step.watches)
        check_redacted_identifier(step, engine, watch.at, watch.identifier);
    for (const SqlPiece* place : places_of(step, Macro::batch)) {
        for (const std::string& argument : place->arguments) {
            const Token column = lex(argument, engine).back();
            if (!column.is_name() || !is_redacted(step, engine, bare_name(column, engine))) continue;
            throw Mistake(place->at, fmt::format("{} runs over {}, which is redacted", place->text, argument),
                          "The bounds of batches stand in journal and ledger: take another key, or do not "
                          "redact it.");
        }
    }
}

/// Where the step's own header names a key; else where the step begins.
SourcePosition header_place(const StepOutline& outline, const std::string& key) {
    const auto found = std::find_if(outline.header.begin(), outline.header.end(),
                                    [&](const HeaderLine& line) { return line.key == key; });
    return found == outline.header.end() ? outline.at : found->value_at;
}

}  // namespace

void check_step(const StepOutline& outline, Engine engine, const Step& step) {
    const bool verifies_alone =
        step.only_verifies() && !step.keys && !step.post && step.undo.empty() && step.watches.empty();
    if (verifies_alone) return;
    check_parts(step);
    check_change(step);
    if (step.keys && !step.keys->uses(Macro::batch)) {
        throw Mistake(step.keys->at, "audit:keys does not say :batch",
                      "Add `WHERE :batch(...)` with the columns that the ranges run over.");
    }
    check_counts(step);
    check_redaction(step, engine, header_place(outline, "redact"));
}

}  // namespace datachange
