#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

#include "core/text.hpp"
#include "definition/definition.hpp"
#include "definition/names.hpp"

namespace datachange {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t version_digits = 14;

bool is_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_path(const std::string& what) {
    return what.find('/') != std::string::npos || what.ends_with(".sql");
}

/// A hint with the definition that is named nearly so, by its path, its name or both.
std::string near_hint(const std::vector<DefinitionFile>& files, const std::string& what,
                      const std::string& fallback) {
    std::vector<std::string> candidates;
    for (const DefinitionFile& file : files) {
        candidates.push_back(file.name);
        candidates.push_back(file.version);
        candidates.push_back(file.version + "_" + file.name);
    }
    return did_you_mean(what, candidates, fallback);
}

}  // namespace

DefinitionFile definition_file(const std::string& path) {
    const std::string file = fs::path(path).filename().string();
    const std::string stem = file.ends_with(".sql") ? file.substr(0, file.size() - 4) : "";
    const bool named_so =
        stem.size() > version_digits && is_digits(std::string_view{stem}.substr(0, version_digits)) &&
        stem[version_digits] == '_' && is_label(std::string_view{stem}.substr(version_digits + 1));
    if (!named_so) {
        throw Error(
            ExitCode::usage, fmt::format("not named like a definition: {}", path),
            "A definition is named <14 digits>_<name>.sql, the name of letters, digits, - and _, as in "
            "20260131120000_backfill_names.sql; `datachange new NAME` makes one.");
    }
    return {path, stem.substr(0, version_digits), stem.substr(version_digits + 1)};
}

std::vector<DefinitionFile> list_definitions(const std::string& directory) {
    if (!fs::is_directory(directory)) {
        throw Error(ExitCode::usage, fmt::format("no such folder of definitions: {}", directory),
                    "Name another with --dir, or make the first definition with `datachange new NAME`.");
    }
    std::vector<DefinitionFile> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        const std::string name = entry.path().filename().string();
        // a version of another length would else be passed over in silence
        const bool meant = name.ends_with(".sql") && is_digits(name.substr(0, 1));
        if (meant && entry.is_regular_file()) files.push_back(definition_file(entry.path().string()));
    }
    std::sort(files.begin(), files.end(), [](const DefinitionFile& a, const DefinitionFile& b) {
        return std::tie(a.version, a.name) < std::tie(b.version, b.name);
    });
    const auto twin = std::adjacent_find(files.begin(), files.end(),
                                         [](const auto& a, const auto& b) { return a.version == b.version; });
    if (twin != files.end()) {
        throw Error(ExitCode::usage,
                    fmt::format("two definitions of version {}: {} and {}", twin->version, twin->path,
                                (twin + 1)->path),
                    "Give one of them another version.");
    }
    return files;
}

DefinitionFile find_definition(const std::string& directory, const std::string& what) {
    if (is_path(what)) {
        if (!fs::exists(what)) {
            const fs::path inside = fs::path(directory) / what;
            throw Error(ExitCode::usage, fmt::format("no such definition: {}", what),
                        fs::exists(inside) ? fmt::format("did you mean {}?", inside.string())
                                           : "The path leads to no file.");
        }
        return definition_file(what);
    }
    const std::vector<DefinitionFile> files = list_definitions(directory);
    std::vector<DefinitionFile> found;
    std::copy_if(files.begin(), files.end(), std::back_inserter(found), [&](const DefinitionFile& file) {
        return what == file.version || what == file.name || what == file.version + "_" + file.name;
    });
    if (found.size() > 1) {
        std::vector<std::string> versions;
        versions.reserve(found.size());
        for (const DefinitionFile& file : found) versions.push_back(file.version);
        throw Error(ExitCode::usage, fmt::format("{} definitions are named {}", found.size(), what),
                    fmt::format("Give the version: {}.", join(versions, ", ")));
    }
    if (found.empty()) {
        throw Error(ExitCode::usage, fmt::format("no such definition: {}", what),
                    near_hint(files, what, fmt::format("`datachange status` lists those of {}.", directory)));
    }
    return found.front();
}

Definition read_definition(const DefinitionFile& file, Engine engine) {
    errno = 0;
    std::ifstream stream(file.path, std::ios::binary);
    std::string text;
    std::array<char, 65536> piece{};
    while (stream.read(piece.data(), piece.size()) || stream.gcount() > 0) {
        text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    }
    if (!stream.is_open() || stream.bad()) {
        throw Error(ExitCode::usage, fmt::format("cannot read {}: {}", file.path, std::strerror(errno)),
                    "Look whether it is a file, and may be read.");
    }
    return parse_definition(file, std::move(text), engine);
}

}  // namespace datachange
