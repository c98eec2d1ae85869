#include "approve/approval_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "approve/scratch_folder.hpp"
#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t most_bytes = 1 << 20;  // an approval of a thousand targets has a third of it

ApprovalFile read(const std::string& path) {
    ApprovalFile file;
    file.path = path;
    const std::string signature = path + ".sig";
    std::error_code error;
    if (!fs::exists(signature, error)) {
        file.obstacle =
            fmt::format("its signature is not there ({})", fs::path(signature).filename().string());
        return file;
    }
    try {
        for (const std::string& one : {path, signature}) {
            if (fs::is_regular_file(one, error) && fs::file_size(one, error) > most_bytes)
                throw Error(ExitCode::failed, "it is too large to be an approval");
        }
        file.text = read_text_file(path);
        file.signature = read_text_file(signature);
    } catch (const Error& failure) {
        file.obstacle = failure.what();
    }
    return file;
}

/// What a file's name can hold of a person's.
std::string file_name_of(const std::string& person) {
    std::string name;
    for (const char c : lower(person.substr(0, person.find('@')))) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
        name += plain ? c : '-';
    }
    return name;
}

void write_file(const fs::path& path, const std::string& text) {
    const fs::path partial = path.string() + ".partial";
    std::error_code failure;
    {
        errno = 0;
        std::ofstream file(partial, std::ios::binary | std::ios::trunc);
        file << text;
        file.close();
        if (!file) failure = {errno, std::generic_category()};
    }
    using fs::perms;
    if (!failure)
        fs::permissions(partial,
                        perms::owner_read | perms::owner_write | perms::group_read | perms::others_read,
                        failure);
    if (!failure) fs::rename(partial, path, failure);
    if (!failure) return;
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw Error(ExitCode::failed, fmt::format("{} cannot be written: {}", path.string(), failure.message()),
                "Approvals stand beside the definition, in a folder of its name. Nothing was approved.");
}

}  // namespace

std::string approvals_folder(const std::string& definition) {
    return definition + ".approvals";
}

std::vector<ApprovalFile> list_approvals(const std::string& definition) {
    std::vector<std::string> paths;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(approvals_folder(definition), error)) {
        if (entry.path().extension() == ".json") paths.push_back(entry.path().string());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        throw Error(ExitCode::failed,
                    fmt::format("{} cannot be read: {}", approvals_folder(definition), error.message()),
                    "Nothing was changed.");
    }
    std::sort(paths.begin(), paths.end());
    std::vector<ApprovalFile> files;
    for (const std::string& path : paths) files.push_back(read(path));
    return files;
}

std::string write_approval(const std::string& definition, const Approval& approval, const std::string& text,
                           const std::string& signature) {
    const fs::path folder = approvals_folder(definition);
    std::error_code error;
    if (fs::create_directory(folder, error)) {
        using fs::perms;
        fs::permissions(folder,
                        perms::owner_all | perms::group_read | perms::group_exec | perms::others_read |
                            perms::others_exec,
                        error);
    }
    const fs::path path =
        folder / fmt::format("{}-{}.json", approval.nonce.substr(0, 8), file_name_of(approval.approved_by));
    write_file(path.string() + ".sig", signature);  // first: without it the other is none
    write_file(path, text);
    return path.string();
}

}  // namespace datachange
