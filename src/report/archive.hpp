#pragma once

#include <memory>
#include <string>

#include "report/export_output.hpp"

namespace datachange {

enum class ArchiveKind { zip, tar_gz };

/// An archive whose bytes follow from what is put into it alone: fixed owner, mode (0600) and compression.
class Archive {
public:
    /// @param time of all members, ISO 8601 in UTC as the ledger has it
    Archive(ArchiveKind kind, const std::string& time, Output& to);
    ~Archive();

    /// @param content finished; is read to its end
    /// @throws Error (failed)
    void add(const std::string& name, SpoolOutput& content);
    void finish();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace datachange
