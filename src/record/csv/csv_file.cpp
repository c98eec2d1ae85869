#include "record/csv/csv_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datachange/error.hpp"

namespace datachange {

CsvFile::CsvFile(std::string path, const std::string& partial)
    : m_path(std::move(path)), m_partial(m_path + partial) {
    m_file = ::open(m_partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (m_file < 0) fail("create");
    ::fchmod(m_file, S_IRUSR | S_IWUSR);  // whatever the umask took or an older file had
}

CsvFile::~CsvFile() {
    if (m_file >= 0) ::close(m_file);
    if (!m_named) ::unlink(m_partial.c_str());
}

void CsvFile::fail(const char* doing) const {
    throw Error(ExitCode::unreachable, fmt::format("cannot {} {}: {}", doing, m_path, std::strerror(errno)));
}

void CsvFile::flush() {
    m_hash.update(m_buffer);
    m_bytes += m_buffer.size();
    std::string_view rest = m_buffer;
    while (!rest.empty()) {
        const ssize_t count = ::write(m_file, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("write");
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    m_buffer.clear();
}

void CsvFile::complete() {
    flush();
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
