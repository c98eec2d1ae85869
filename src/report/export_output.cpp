#include "report/export_output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

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
SpoolFile make_spool_file() {
    std::string path = (std::filesystem::temp_directory_path() / "datachange-export-XXXXXX").string();
    const int file = ::mkstemp(path.data());
    if (file < 0) fail("make a temporary file");
    ::unlink(path.c_str());
    std::FILE* const stream = ::fdopen(file, "w+b");
    if (!stream) fail("make a temporary file");
    return {stream, [](std::FILE* opened) { std::fclose(opened); }};
}

SpoolOutput::SpoolOutput(SpoolFile file)
    : m_file(std::move(file)), m_begin(static_cast<std::uint64_t>(::ftello(m_file.get()))) {
}

void SpoolOutput::write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), m_file.get()) != bytes.size())
        fail("write a temporary file");
    m_hash.update(bytes);
    m_bytes += bytes.size();
}

void SpoolOutput::finish() {
    if (std::fflush(m_file.get()) != 0) fail("write a temporary file");
    m_sha256 = m_hash.finish();
}

std::string_view SpoolOutput::read() {
    const auto at = static_cast<off_t>(m_begin + m_read);
    m_piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece_size, m_bytes - m_read)));
    const bool there = ::fseeko(m_file.get(), at, SEEK_SET) == 0 &&
                       std::fread(m_piece.data(), 1, m_piece.size(), m_file.get()) == m_piece.size();
    if (!there) fail("read a temporary file");
    m_read += m_piece.size();
    return m_piece;
}

}  // namespace datachange
