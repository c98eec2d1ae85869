#include "capture/row_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "datachange/error.hpp"

namespace datachange {

namespace {

constexpr std::size_t most_unwritten = std::size_t{1} << 20U;  // bytes

[[noreturn]] void refuse(const char* what, const std::string& folder, int reason) {
    throw Error(ExitCode::unreachable,
                fmt::format("a temporary file in {} cannot be {}: {}", folder, what, std::strerror(reason)),
                "The rows of a large set wait there until they are recorded: TMPDIR may name a folder with "
                "more room. Nothing of the batch in hand was changed in the target.");
}

std::string temporary_folder() {
    const char* const named = std::getenv("TMPDIR");
    return named != nullptr && *named != '\0' ? named : "/var/tmp";
}

/// Without a name from its first moment on where the file system can do that, else as soon as it is open.
int open_nameless(const std::string& folder) {
    const int nameless = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (nameless >= 0) return nameless;
    std::string path = folder + "/datachange-XXXXXX";
    const int file = ::mkostemp(path.data(), O_CLOEXEC);
    if (file < 0) refuse("made", folder, errno);
    ::unlink(path.c_str());
    return file;
}

template <class Number>
void append_number(std::string& out, Number number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    out.append(bytes, sizeof number);
}

template <class Number>
Number take_number(std::string_view& bytes) {
    Number number;
    std::memcpy(&number, bytes.data(), sizeof number);
    bytes.remove_prefix(sizeof number);
    return number;
}

}  // namespace

RowFile::~RowFile() {
    if (m_file >= 0) ::close(m_file);
}

RowFile& RowFile::operator=(RowFile&& other) noexcept {
    std::swap(m_columns, other.m_columns);
    std::swap(m_rows, other.m_rows);
    std::swap(m_written, other.m_written);
    std::swap(m_tail, other.m_tail);
    std::swap(m_file, other.m_file);
    return *this;
}

/// A row is its length in bytes, then of each cell kind, length and bytes.
void RowFile::append(const RowSet& rows) {
    if (m_columns.empty()) m_columns = rows.columns();
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::size_t begin = m_tail.size();
        append_number(m_tail, std::uint64_t{0});
        for (std::size_t column = 0; column < rows.width(); ++column) {
            const ValueView value = rows.at(row, column);
            m_tail += static_cast<char>(value.kind);
            append_number(m_tail, static_cast<std::uint32_t>(value.bytes.size()));
            m_tail += value.bytes;
        }
        const std::uint64_t length = m_tail.size() - begin - sizeof(std::uint64_t);
        std::memcpy(m_tail.data() + begin, &length, sizeof length);
        if (m_tail.size() >= most_unwritten) flush();
    }
    m_rows += rows.size();
}

void RowFile::flush() {
    const std::string folder = temporary_folder();
    if (m_file < 0) m_file = open_nameless(folder);
    std::string_view left = m_tail;
    while (!left.empty()) {
        const ssize_t wrote = ::write(m_file, left.data(), left.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) refuse("written", folder, errno);
        left.remove_prefix(static_cast<std::size_t>(wrote));
    }
    m_written += m_tail.size();
    m_tail.clear();
}

void RowFile::read(std::uint64_t offset, std::size_t least, std::size_t most, std::string& into) const {
    into.resize(std::min<std::uint64_t>(std::max(least, most), bytes() - offset));
    std::size_t got = 0;
    while (got < into.size() && offset + got < m_written) {
        const std::size_t wanted = std::min<std::uint64_t>(into.size() - got, m_written - offset - got);
        const ssize_t found = ::pread(m_file, into.data() + got, wanted, static_cast<off_t>(offset + got));
        if (found < 0 && errno == EINTR) continue;
        if (found <= 0) refuse("read", temporary_folder(), found < 0 ? errno : EIO);
        got += static_cast<std::size_t>(found);
    }
    if (got < into.size()) {
        m_tail.copy(into.data() + got, into.size() - got, static_cast<std::size_t>(offset + got - m_written));
    }
}

std::string_view RowFile::Reader::bytes(std::size_t length) {
    const bool there = m_offset >= m_buffer_at && m_offset + length <= m_buffer_at + m_buffer.size();
    if (!there) {
        m_file.read(m_offset, length, m_read_ahead, m_buffer);
        m_buffer_at = m_offset;
    }
    const std::string_view found(m_buffer.data() + (m_offset - m_buffer_at), length);
    m_offset += length;
    return found;
}

void RowFile::Reader::next(RowSet& rows) {
    std::string_view head = bytes(sizeof(std::uint64_t));
    std::string_view row = bytes(take_number<std::uint64_t>(head));
    while (!row.empty()) {
        const auto kind = static_cast<ValueKind>(row.front());
        row.remove_prefix(1);
        const auto length = take_number<std::uint32_t>(row);
        rows.add(kind, row.substr(0, length));
        row.remove_prefix(length);
    }
}

RowSet RowFile::Reader::next(std::uint64_t rows) {
    RowSet found(m_file.columns());
    for (std::uint64_t row = 0; row < rows && !at_end(); ++row) next(found);
    return found;
}

}  // namespace datachange
