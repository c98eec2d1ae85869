#include "migrate/schema_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <tuple>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "migrate/schema_header.hpp"

namespace datachange {

namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& path) {
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    std::string text;
    std::array<char, 65536> piece{};
    while (stream.read(piece.data(), piece.size()) || stream.gcount() > 0)
        text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    if (stream.is_open() && !stream.bad()) return text;
    throw Error(ExitCode::usage, fmt::format("cannot read {}: {}", path, std::strerror(errno)),
                "Look whether it is a file, and may be read.");
}

/// The line comments before the first statement. They read the same in both dialects, and a text that is
/// wrong further on has them all the same.
std::vector<std::string_view> leading_comments(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    std::vector<std::string_view> comments;
    for (;;) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\f\v;"), text.size()));
        if (text.starts_with("--")) {
            const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
            comments.push_back(text.substr(0, end));
            text.remove_prefix(end);
        } else if (text.starts_with("/*")) {
            const std::size_t end = text.find("*/", 2);
            if (end == std::string_view::npos) return comments;
            text.remove_prefix(end + 2);
        } else {
            return comments;
        }
    }
}

bool says_no_transaction(std::string_view text) {
    const std::vector<std::string_view> comments = leading_comments(text);
    return std::any_of(comments.begin(), comments.end(), [](std::string_view comment) {
        const auto read = read_schema_comment(comment);
        return read && read->says_no();
    });
}

SchemaFile read_schema_file(const std::string& path) {
    DefinitionFile named;
    try {
        named = definition_file(path);
    } catch (const Error&) {
        throw Error(
            ExitCode::usage, fmt::format("not named like a schema migration: {}", path),
            "A schema migration is named <14 digits>_<name>.sql, the name of letters, digits, - and _, as "
            "in 20260131120000_add_users_email.sql.");
    }
    SchemaFile file{named.version, named.name, path, "", read_text(path), true};
    file.sha256 = sha256(file.text);
    file.transactional = !says_no_transaction(file.text);
    return file;
}

}  // namespace

std::vector<SchemaFile> list_schema_files(const std::string& directory) {
    if (!fs::is_directory(directory)) {
        throw Error(
            ExitCode::usage, fmt::format("no such folder of schema migrations: {}", directory),
            "Name another with --schema-dir, or make it; without the setting schema-dir there are none.");
    }
    std::vector<SchemaFile> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        const std::string name = entry.path().filename().string();
        // a version of another length would else be passed over in silence
        const bool meant = name.ends_with(".sql") && name.front() >= '0' && name.front() <= '9';
        if (meant && entry.is_regular_file()) files.push_back(read_schema_file(entry.path().string()));
    }
    std::sort(files.begin(), files.end(), [](const SchemaFile& a, const SchemaFile& b) {
        return std::tie(a.version, a.name) < std::tie(b.version, b.name);
    });
    const auto twin = std::adjacent_find(files.begin(), files.end(),
                                         [](const auto& a, const auto& b) { return a.version == b.version; });
    if (twin != files.end()) {
        throw Error(ExitCode::usage,
                    fmt::format("two schema migrations of version {}: {} and {}", twin->version, twin->path,
                                (twin + 1)->path),
                    "Give one of them another version.");
    }
    return files;
}

void require_one_version_space(const std::vector<DefinitionFile>& definitions,
                               const std::vector<SchemaFile>& schema) {
    for (const DefinitionFile& definition : definitions) {
        const auto same = std::lower_bound(
            schema.begin(), schema.end(), definition.version,
            [](const SchemaFile& file, const std::string& version) { return file.version < version; });
        if (same == schema.end() || same->version != definition.version) continue;
        throw Error(ExitCode::usage,
                    fmt::format("version {} is that of a definition and of a schema migration: {} and {}",
                                definition.version, definition.path, same->path),
                    "Both run in one order: give one of them another version.");
    }
}

std::vector<SchemaFile> schema_files_beside(const std::string& definitions_directory,
                                            const std::string& schema_directory) {
    if (schema_directory.empty()) return {};
    std::vector<SchemaFile> schema = list_schema_files(schema_directory);
    require_one_version_space(list_definitions(definitions_directory), schema);
    return schema;
}

}  // namespace datachange
