#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "datachange/error.hpp"
#include "definition/header.hpp"
#include "definition/lexer.hpp"

namespace datachange {

enum class SectionKind { keys, pre, change, post, summary, verify, undo, watch };

/// "audit:pre"
std::string section_name(SectionKind kind);

/// What stands between one directive and the next.
struct Section {
    SectionKind kind = SectionKind::pre;
    std::string argument;  ///< of watch: the table as written
    SourcePosition at;
    SourcePosition argument_at;
    std::vector<HeaderLine> header;  ///< of watch
    std::vector<Token> tokens;       ///< SQL with its comments
};

/// One `audit:step`; in a file without steps, all of it.
struct StepOutline {
    std::string name;
    SourcePosition at;
    std::vector<HeaderLine> header;
    std::vector<Section> sections;
};

/// A definition by its directives and header lines, before any of the values or the SQL is read.
struct Outline {
    std::vector<HeaderLine> header;
    std::vector<StepOutline> steps;
};

/// @param text what the tokens were lexed from.
/// @throws Mistake for directives, header lines and SQL out of place.
Outline read_outline(const std::vector<Token>& tokens, std::string_view text);

}  // namespace datachange
