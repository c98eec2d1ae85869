#include "record/csv/run_folder.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datachange/error.hpp"
#include "record/csv/csv_file.hpp"

namespace datachange {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_part = 120;  // bytes; a file name may have 255
constexpr const char* probes[] = {"pre.csv", "change.csv", "post.csv", "diff.csv"};

/// Makes a folder and those above it that are missing, for this user alone.
void make_private_folders(const fs::path& path) {
    if (path.empty() || fs::is_directory(path)) return;
    make_private_folders(path.parent_path());
    if (::mkdir(path.c_str(), S_IRWXU) == 0) {
        ::chmod(path.c_str(), S_IRWXU);
    } else if (errno != EEXIST || !fs::is_directory(path)) {  // another run may have made it meanwhile
        throw Error(ExitCode::unreachable,
                    fmt::format("cannot create the folder {}: {}", path.string(), std::strerror(errno)));
    }
}

}  // namespace

std::string absolute_path(const std::string& path) {
    return fs::absolute(path).lexically_normal().string();
}

std::string file_name_part(const std::string& text) {
    std::string part;
    for (const char c : text) {
        if (c == '"' || c == '`' || c == '[' || c == ']') continue;
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool other_script = static_cast<unsigned char>(c) >= 0x80;
        part += letter || other_script || c == '_' || c == '-' || c == '.' ? c : '_';
    }
    if (part.size() > longest_part) {
        std::size_t end = longest_part;
        while (end > 0 && (static_cast<unsigned char>(part[end]) & 0xC0) == 0x80) --end;  // within a letter
        part.resize(end);
    }
    return part;
}

RunFolder::RunFolder(const std::string& csv_dir, const std::string& definition, const std::string& leaf)
    : m_path((fs::path(csv_dir) / file_name_part(definition) / leaf).string()) {
    constexpr const char* hint =
        "Give a folder that this user can write with --csv-dir. Nothing was changed.";
    try {
        make_private_folders(m_path);
        for (const char* name : probes) write_note(std::string(name) + ".partial", "");
    } catch (Error& error) {
        clean();
        error.set_hint(hint);
        throw;
    } catch (const fs::filesystem_error& error) {
        throw Error(ExitCode::unreachable,
                    fmt::format("cannot create the folder {}: {}", m_path, error.code().message()), hint);
    }
}

void RunFolder::write_note(const std::string& name, const std::string& text) const {
    CsvFile note(file(name));
    note.buffer() += text;
    note.finish();
}

bool RunFolder::clean() const noexcept {
    std::error_code ignored;
    for (fs::directory_iterator entry(m_path, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
        if (entry->path().extension() == ".partial") ::unlink(entry->path().c_str());
    }
    return ::rmdir(m_path.c_str()) == 0;
}

}  // namespace datachange
