#pragma once

#include <string>
#include <vector>

namespace datachange {

/// The folder of one run's CSV files: <csv_dir>/<version>_<name>/<leaf>.
class RunFolder {
public:
    /// Makes the folder (mode 0700, as all that are made on the way) and shows that files can be written
    /// there, by making the .partial files of a definition with one step.
    /// @throws Error (unreachable); nothing is left behind then but folders above
    RunFolder(const std::string& csv_dir, const std::string& definition, const std::string& leaf);

    const std::string& path() const { return m_path; }
    std::string file(const std::string& name) const { return m_path + "/" + name; }

    /// Writes a small text file.
    void write_note(const std::string& name, const std::string& text) const;
    /// Removes the .partial files, and the folder too if nothing else is in it.
    /// @return true if the folder is gone.
    bool clean() const noexcept;

private:
    std::string m_path;
};

/// A path that holds wherever the reader stands.
std::string absolute_path(const std::string& path);

/// A text as part of a file name: what is not a letter, a digit or one of "_-." becomes "_", quotes go.
std::string file_name_part(const std::string& text);

}  // namespace datachange
