#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datachange/error.hpp"
#include "definition/definition.hpp"
#include "definition/lexer.hpp"

namespace datachange {

/// `-- key: value`
struct HeaderLine {
    std::string key;
    std::string value;  ///< trimmed, not empty
    SourcePosition at;
    SourcePosition value_at;
};

/// Reads a comment of a header.
/// @return nothing for free text.
/// @throws Mistake for a key that is not known, misspelt, or without value.
std::optional<HeaderLine> read_header_line(const Token& comment);

/// True if the comment, in a header, would set a key.
bool sets_header_key(const Token& comment);

/// What a comment says after its dashes, without blanks around.
std::string_view comment_text(const Token& comment);

/// Sets what the header at the beginning of a file says; keys of steps become the defaults of all steps.
void apply_file_header(const std::vector<HeaderLine>& lines, Definition& definition, Step& defaults);
void apply_step_header(const std::vector<HeaderLine>& lines, Engine engine, Step& step);
void apply_watch_header(const std::vector<HeaderLine>& lines, Engine engine, Watch& watch);

}  // namespace datachange
