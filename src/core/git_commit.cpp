#include "core/git_commit.hpp"

#include <filesystem>
#include <fstream>

#include "core/text.hpp"

namespace datachange {

namespace {

namespace fs = std::filesystem;

/// The first line, trimmed; "" if there is no such file.
std::string first_line(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) return {};
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return std::string{trim(line)};
}

bool is_object_name(const std::string& text) {
    return (text.size() == 40 || text.size() == 64) &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Where a repository keeps what belongs to this work tree alone. In a further work tree and in a submodule
/// `.git` is a file that names it.
fs::path git_folder(const fs::path& dot_git) {
    std::error_code ignored;
    if (fs::is_directory(dot_git, ignored)) return dot_git;
    constexpr std::string_view key = "gitdir: ";
    const std::string line = first_line(dot_git);
    return line.starts_with(key) ? dot_git.parent_path() / line.substr(key.size()) : fs::path{};
}

/// Lines are "<object name> <reference>", besides comments and what tags point at.
std::string packed(const fs::path& common, const std::string& reference) {
    std::ifstream file(common / "packed-refs");
    for (std::string line; std::getline(file, line);) {
        const std::size_t blank = line.find(' ');
        if (blank != std::string::npos && trim(std::string_view{line}.substr(blank + 1)) == reference)
            return line.substr(0, blank);
    }
    return {};
}

std::string commit_in(const fs::path& folder) {
    constexpr std::string_view key = "ref: ";
    constexpr int deepest = 5;  // of references to references, as git has it
    const std::string shared = first_line(folder / "commondir");
    const fs::path common = shared.empty() ? folder : folder / shared;
    std::string text = first_line(folder / "HEAD");
    for (int depth = 0; depth < deepest && text.starts_with(key); ++depth) {
        const std::string reference = text.substr(key.size());
        text = first_line(folder / reference);
        if (text.empty()) text = first_line(common / reference);
        if (text.empty()) text = packed(common, reference);
    }
    return is_object_name(text) ? text : std::string{};
}

}  // namespace

std::string git_commit_of(const std::string& file) noexcept {
    try {
        for (fs::path at = fs::canonical(file).parent_path();; at = at.parent_path()) {
            if (const fs::path dot_git = at / ".git"; fs::exists(dot_git)) {
                const fs::path folder = git_folder(dot_git);
                return folder.empty() ? std::string{} : commit_in(folder);
            }
            if (at == at.parent_path()) return {};
        }
    } catch (...) {
        return {};  // a decoration of the evidence never stops a run
    }
}

}  // namespace datachange
