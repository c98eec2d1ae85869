#include "report/export_output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "datachange/error.hpp"

namespace datachange {

namespace {

constexpr std::size_t piece_size = std::size_t{64} * 1024;

[[noreturn]] void fail(const char* what) {
    throw Error(ExitCode::failed, fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

const std::string& require_free(const std::string& path, bool force) {
    if (std::error_code ignored; force || !std::filesystem::exists(path, ignored)) return path;
    throw Error(ExitCode::usage, fmt::format("there is a file {} already", path),
                "--force replaces it; or give another name with --output.");
}

}  // namespace

void StandardOutput::write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) fail("write to stdout");
}

void StandardOutput::finish() {
    if (std::fflush(stdout) != 0) fail("write to stdout");
}

FileOutput::FileOutput(const std::string& path, bool force) : m_file(require_free(path, force)) {
}

// tmpfile() does not look at TMPDIR, and a bundle may be large.
SpoolOutput::SpoolOutput() : m_file(nullptr) {
    std::string path = (std::filesystem::temp_directory_path() / "datachange-export-XXXXXX").string();
    const int file = ::mkstemp(path.data());
    if (file < 0) fail("make a temporary file");
    std::filesystem::remove(path);
    m_file = ::fdopen(file, "w+b");
    if (!m_file) fail("make a temporary file");
}

SpoolOutput::~SpoolOutput() {
    if (m_file) std::fclose(m_file);
}

void SpoolOutput::write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), m_file) != bytes.size()) fail("write a temporary file");
    m_hash.update(bytes);
    m_bytes += bytes.size();
}

void SpoolOutput::finish() {
    if (std::fflush(m_file) != 0 || std::fseek(m_file, 0, SEEK_SET) != 0) fail("write a temporary file");
    m_sha256 = m_hash.finish();
}

std::string_view SpoolOutput::read() {
    m_piece.resize(piece_size);
    const std::size_t count = std::fread(m_piece.data(), 1, m_piece.size(), m_file);
    if (std::ferror(m_file)) fail("read a temporary file");
    return std::string_view{m_piece}.substr(0, count);
}

}  // namespace datachange
