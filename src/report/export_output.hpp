#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "record/csv/csv_file.hpp"

namespace datachange {

/// Where an export goes, piece by piece: as large as a run may be, no more than a piece is in memory.
///
/// Methods throw Error (failed, or unreachable for files) if it cannot be written.
class Output {
public:
    virtual ~Output() = default;
    virtual void write(std::string_view bytes) = 0;
    /// Nothing more comes. What is not finished is not there, or visibly incomplete.
    virtual void finish() = 0;
};

/// The tool's stdout.
class StandardOutput final : public Output {
public:
    void write(std::string_view bytes) override;
    void finish() override;
};

/// A file of mode 0600 under NAME.partial, which gets its name when it is complete.
class FileOutput final : public Output {
public:
    /// @param force replaces a file that has the name
    /// @throws Error (usage) if there is one
    FileOutput(const std::string& path, bool force);

    void write(std::string_view bytes) override { m_file.write(bytes); }
    void finish() override { m_file.finish(); }
    /// The two halves of finish(), for files that appear together.
    void complete() { m_file.complete(); }
    void give_name() { m_file.give_name(); }
    /// Of the complete file.
    const CsvFile& file() const { return m_file; }

private:
    CsvFile m_file;
};

/// A temporary file without a name, to be read again from its beginning.
class SpoolOutput final : public Output {
public:
    SpoolOutput();
    ~SpoolOutput() override;
    SpoolOutput(const SpoolOutput&) = delete;
    SpoolOutput& operator=(const SpoolOutput&) = delete;

    void write(std::string_view bytes) override;
    void finish() override;
    /// The next piece of the finished file, "" at its end; good until the next call.
    std::string_view read();

    std::uint64_t bytes() const { return m_bytes; }
    /// Of the finished file.
    const std::string& sha256() const { return m_sha256; }

private:
    std::FILE* m_file;
    Sha256 m_hash;
    std::uint64_t m_bytes = 0;
    std::string m_sha256;
    std::string m_piece;
};

/// Compresses on the way: gzip without name and time, so that the same text gives the same bytes.
std::unique_ptr<Output> gzip(Output& to);

}  // namespace datachange
