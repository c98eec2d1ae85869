#include "approve/scratch_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "datachange/error.hpp"

namespace datachange {

namespace {

std::string temporary_folder() {
    std::error_code none;
    const std::string folder = std::filesystem::temp_directory_path(none).string();
    return folder.empty() ? "/tmp" : folder;
}

}  // namespace

ScratchFolder::ScratchFolder() : m_path(temporary_folder() + "/datachange-XXXXXX") {
    if (::mkdtemp(m_path.data()) != nullptr) return;
    throw Error(ExitCode::failed,
                fmt::format("cannot make a folder like {}: {}", m_path, std::strerror(errno)),
                "Set TMPDIR to a folder that can be written. Nothing was changed.");
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;  // it is in the folder for what may go
    std::filesystem::remove_all(m_path, ignored);
}

std::string ScratchFolder::write(const std::string& name, const std::string& text) const {
    std::ofstream file(path(name), std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (file) return path(name);
    throw Error(ExitCode::failed, fmt::format("{} cannot be written: {}", path(name), std::strerror(errno)),
                "Set TMPDIR to a folder that has room. Nothing was changed.");
}

std::string read_text_file(const std::string& path) {
    std::error_code ignored;  // what is not there cannot be opened either
    std::string why = std::filesystem::is_directory(path, ignored) ? "it is a folder" : "";
    if (why.empty()) {
        errno = 0;
        std::ifstream file(path, std::ios::binary);
        std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        if (file.is_open() && !file.bad()) return text;
        why = std::strerror(errno);
    }
    throw Error(ExitCode::failed, fmt::format("{} cannot be read: {}", path, why));
}

}  // namespace datachange
