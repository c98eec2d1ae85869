#pragma once

#include <string>

namespace datachange {

/// The commit that is checked out in the git work tree a file stands in, 40 or 64 hexadecimal digits; ""
/// where there is no work tree, no commit yet, or a repository whose references are kept in another way than
/// as files.
///
/// Reads the repository's files itself, for to start git takes longer than a small run. Whether the file is
/// as the commit has it is not looked at. Throws nothing.
std::string git_commit_of(const std::string& file) noexcept;

}  // namespace datachange
