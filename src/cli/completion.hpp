#pragma once

#include <string>
#include <vector>

#include "cli/command_text.hpp"

namespace datachange {

/// The first argument by which a shell asks for candidates; the words of its line follow, without the name of
/// the tool, up to the one under the cursor, which may be empty.
inline constexpr const char* completion_request = "__complete";

/// What may stand in place of the last word, one a line: the candidate, a tab, what it is. Candidates that do
/// not begin like the word are among them: each shell has rules of its own for that. A line ":files" or
/// ":folders" asks the shell for names of files or folders besides.
///
/// Never fails: what cannot be read (definitions, the ledger) gives no candidates.
/// @param words see completion_request
std::string completions(const CommandText& tool, const std::vector<std::string>& words);

/// The script that has a shell ask for them. @param shell one of completion_shells
std::string completion_script(const std::string& shell);
inline const std::vector<std::string> completion_shells{"bash", "zsh", "fish"};

}  // namespace datachange
