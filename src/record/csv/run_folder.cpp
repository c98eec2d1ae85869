#include "record/csv/run_folder.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

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

/// The epoch of an unfinished file; nothing for any other.
std::optional<std::int64_t> epoch_of_partial(const fs::path& path) {
    if (path.extension() != ".partial") return std::nullopt;
    const std::string middle = path.stem().extension().string();
    std::int64_t epoch = 1;
    if (middle.size() > 1) std::from_chars(middle.data() + 1, middle.data() + middle.size(), epoch);
    return epoch;
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

std::string csv_prefix(int number, int watch_of, const std::string& name, const std::string& table,
                       std::size_t steps) {
    if (watch_of != 0) return fmt::format("{}_watch_{}.", number, file_name_part(table));
    if (steps == 1) return "";
    return fmt::format("{}_{}.", number, file_name_part(name.empty() ? table : name));
}

RunFolder::RunFolder(const std::string& csv_dir, const std::string& definition, const std::string& leaf,
                     std::int64_t epoch)
    : m_path((fs::path(csv_dir) / file_name_part(definition) / leaf).string()), m_epoch(epoch) {
    constexpr const char* hint =
        "Give a folder that this user can write with --csv-dir. Nothing was changed.";
    try {
        make_private_folders(m_path);
        for (const char* name : probes) write_note(name + partial(), "");
    } catch (Error& error) {
        clean();
        error.set_hint(hint);
        throw;
    } catch (const fs::filesystem_error& error) {
        throw Error(ExitCode::unreachable,
                    fmt::format("cannot create the folder {}: {}", m_path, error.code().message()), hint);
    }
}

std::string RunFolder::partial() const {
    return m_epoch == 1 ? ".partial" : fmt::format(".{}.partial", m_epoch);
}

void RunFolder::write_note(const std::string& name, const std::string& text) const {
    CsvFile note(file(name), partial());
    note.write(text);
    note.finish();
}

bool RunFolder::clean() const noexcept {
    std::error_code ignored;
    for (fs::directory_iterator entry(m_path, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
        const auto epoch = epoch_of_partial(entry->path());
        if (epoch && *epoch <= m_epoch) ::unlink(entry->path().c_str());
    }
    return ::rmdir(m_path.c_str()) == 0 || errno == ENOENT;
}

}  // namespace datachange
