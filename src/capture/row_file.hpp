#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/row_set.hpp"

namespace datachange {

/// Rows of one result that are too many for memory, in the order they came, in a file without a name that is
/// gone with the object. It stands where TMPDIR says, else in /var/tmp; nothing is written as long as the
/// rows are few.
class RowFile {
public:
    RowFile() = default;
    ~RowFile();
    RowFile(RowFile&& other) noexcept { *this = std::move(other); }
    RowFile& operator=(RowFile&& other) noexcept;

    /// Appends rows, all with the columns of the first piece.
    /// @throws Error (unreachable) if they cannot be written
    void append(const RowSet& rows);
    const std::vector<Column>& columns() const { return m_columns; }
    std::uint64_t size() const { return m_rows; }

    /// Reads from one row on; several may read at once, as long as nothing is appended.
    class Reader {
    public:
        /// @param offset of a row, as Reader::offset() told it; 0: the first
        explicit Reader(const RowFile& file, std::uint64_t offset = 0) : m_file(file), m_offset(offset) {}
        /// Where the next row stands.
        std::uint64_t offset() const { return m_offset; }
        /// Goes on at a row, as offset() told it.
        void seek(std::uint64_t offset) { m_offset = offset; }
        /// How much is read at a time, in bytes: little where rows are sought here and there.
        void read_ahead(std::size_t bytes) { m_read_ahead = bytes; }
        bool at_end() const { return m_offset == m_file.bytes(); }
        /// Adds the next row to rows, which has the columns of the file.
        void next(RowSet& rows);
        /// The next rows, at most so many.
        RowSet next(std::uint64_t rows);

    private:
        std::string_view bytes(std::size_t length);

        const RowFile& m_file;
        std::uint64_t m_offset;
        std::size_t m_read_ahead = std::size_t{1} << 18U;
        std::string m_buffer;           ///< a stretch of the file
        std::uint64_t m_buffer_at = 0;  ///< where it begins
    };

private:
    std::uint64_t bytes() const { return m_written + m_tail.size(); }
    void flush();
    /// Bytes of the file from an offset on: at least `least`, at most `most` where there are so many.
    void read(std::uint64_t offset, std::size_t least, std::size_t most, std::string& into) const;

    std::vector<Column> m_columns;
    std::uint64_t m_rows = 0;
    std::uint64_t m_written = 0;  ///< bytes that stand in the file
    std::string m_tail;           ///< what follows them
    int m_file = -1;
};

}  // namespace datachange
