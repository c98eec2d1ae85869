#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"

namespace datachange {

/// Where lines of CSV go.
class CsvLines {
public:
    virtual ~CsvLines() = default;
    /// Appends a line of fields, which are CSV already.
    virtual void write_line(std::span<const std::string_view> fields) = 0;
};

/// A file that appears under its name only when it is complete and on the disk: it is written to
/// NAME.partial, mode 0600. One that is not given its name is removed.
class CsvFile final : public CsvLines {
public:
    /// @throws Error (unreachable), as all methods do
    /// @param partial what the file's name has at its end until then
    explicit CsvFile(std::string path, const std::string& partial = ".partial");
    /// One that is not written: only hashed, and held against the file that has the name, if there is one.
    static std::unique_ptr<CsvFile> held_against(std::string path);
    ~CsvFile() override;
    CsvFile(const CsvFile&) = delete;
    CsvFile& operator=(const CsvFile&) = delete;

    /// Appends a text as it is.
    void write(std::string_view text);
    void write_line(std::span<const std::string_view> fields) override;
    /// Writes what is left, and brings it to the disk.
    void complete();
    /// Gives the complete file its name; one that had it before is replaced.
    void give_name();
    /// Both.
    void finish() {
        complete();
        give_name();
    }

    const std::string& path() const { return m_path; }
    /// Of the complete file.
    std::uint64_t bytes() const { return m_bytes; }
    const std::string& sha256() const { return m_sha256; }
    /// Of one that is held against a file: what came up to now does not stand there.
    bool differs();

private:
    struct HeldAgainst {};
    CsvFile(std::string path, HeldAgainst);
    void compare(std::string_view rest);
    char* room(std::size_t size);
    void flush();
    [[noreturn]] void fail(const char* doing) const;

    std::string m_path, m_partial;
    int m_file = -1;
    bool m_named = false;
    bool m_writes = true;  ///< else it is held against m_file
    bool m_differs = false;
    std::vector<char> m_buffer;  ///< m_used of it wait to be written
    std::size_t m_used = 0;
    Sha256 m_hash;
    std::uint64_t m_bytes = 0;
    std::string m_sha256;
};

/// Makes what renames and removals did in a folder durable.
void sync_folder(const std::string& path);

}  // namespace datachange
