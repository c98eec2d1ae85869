#include "record/csv/csv_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datachange/error.hpp"

namespace datachange {

namespace {

constexpr std::size_t usual_size = std::size_t{256} * 1024;  // of what waits to be written

}  // namespace

CsvFile::CsvFile(std::string path, const std::string& partial)
    : m_path(std::move(path)), m_partial(m_path + partial) {
    m_file = ::open(m_partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (m_file < 0) fail("create");
    ::fchmod(m_file, S_IRUSR | S_IWUSR);  // whatever the umask took or an older file had
}

CsvFile::CsvFile(std::string path, HeldAgainst)
    : m_path(std::move(path)), m_file(::open(m_path.c_str(), O_RDONLY | O_CLOEXEC)), m_writes(false) {
}

std::unique_ptr<CsvFile> CsvFile::held_against(std::string path) {
    return std::unique_ptr<CsvFile>(new CsvFile(std::move(path), HeldAgainst{}));
}

CsvFile::~CsvFile() {
    if (m_file >= 0) ::close(m_file);
    if (m_writes && !m_named) ::unlink(m_partial.c_str());
}

void CsvFile::fail(const char* doing) const {
    throw Error(ExitCode::unreachable, fmt::format("cannot {} {}: {}", doing, m_path, std::strerror(errno)));
}

void CsvFile::write(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(room(text.size()), text.data(), text.size());
    m_used += text.size();
}

void CsvFile::write_line(std::span<const std::string_view> fields) {
    std::size_t size = fields.size() + 2;
    for (const std::string_view field : fields) size += field.size();
    char* at = room(size);
    const char* const start = at;
    for (const std::string_view field : fields) {
        if (!field.empty()) std::memcpy(at, field.data(), field.size());
        at += field.size();
        *at++ = ',';
    }
    if (!fields.empty()) --at;
    *at++ = '\r';
    *at++ = '\n';
    m_used += static_cast<std::size_t>(at - start);
}

/// Where so many bytes can be put.
char* CsvFile::room(std::size_t size) {
    if (m_buffer.size() - m_used < size) {
        flush();
        if (m_buffer.size() < size) m_buffer.resize(std::max(size, usual_size));
    }
    return m_buffer.data() + m_used;
}

void CsvFile::flush() {
    std::string_view rest{m_buffer.data(), m_used};
    m_hash.update(rest);
    m_bytes += rest.size();
    m_used = 0;
    if (!m_writes) return compare(rest);
    while (!rest.empty()) {
        const ssize_t count = ::write(m_file, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("write");
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
}

void CsvFile::compare(std::string_view rest) {
    std::vector<char> there(m_file < 0 || m_differs ? 0 : rest.size());
    while (!there.empty() && !rest.empty()) {
        const ssize_t count = ::read(m_file, there.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("read");
        const auto got = static_cast<std::size_t>(count);
        m_differs = got == 0 || rest.substr(0, got) != std::string_view(there.data(), got);
        if (m_differs) return;
        rest.remove_prefix(got);
    }
}

bool CsvFile::differs() {
    flush();
    return m_differs;
}

void CsvFile::complete() {
    flush();
    if (!m_writes) {
        m_sha256 = m_hash.finish();
        return;
    }
    if (::fsync(m_file) != 0) fail("write");
    const int closed = ::close(m_file);
    m_file = -1;
    if (closed != 0) fail("write");
    m_sha256 = m_hash.finish();
}

void CsvFile::give_name() {
    if (std::rename(m_partial.c_str(), m_path.c_str()) != 0) fail("write");
    m_named = true;
}

void sync_folder(const std::string& path) {
    const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;  // some file systems cannot; the files themselves are synced
    ::fsync(folder);
    ::close(folder);
}

}  // namespace datachange
