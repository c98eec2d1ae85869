#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace datachange {

/// The folder of one run's CSV files: <csv_dir>/<version>_<name>/<leaf>.
///
/// The .partial files of each epoch of the run have names of their own, so that a process whose run was taken
/// over cannot write into, or take away, those of who goes on with it.
class RunFolder {
public:
    /// Makes the folder (mode 0700, as all that are made on the way) and shows that files can be written
    /// there, by making the .partial files of a definition with one step.
    /// @throws Error (unreachable); nothing is left behind then but folders above
    RunFolder(const std::string& csv_dir, const std::string& definition, const std::string& leaf,
              std::int64_t epoch = 1);

    const std::string& path() const { return m_path; }
    std::string file(const std::string& name) const { return m_path + "/" + name; }

    /// Writes a small text file.
    void write_note(const std::string& name, const std::string& text) const;
    /// What the name of an unfinished file of this epoch ends with: ".partial", later ".2.partial".
    std::string partial() const;
    /// Removes the .partial files of this epoch and those before, and the folder too if nothing else is in
    /// it.
    /// @return true if the folder is gone.
    bool clean() const noexcept;

private:
    std::string m_path;
    std::int64_t m_epoch;
};

/// What the names of a step's CSV files begin with: "" where the definition has one step, else "1_users." or
/// "3_watch_parcels.".
/// @param watch_of the step that watches this table, or 0; @param steps without watched tables
std::string csv_prefix(int number, int watch_of, const std::string& name, const std::string& table,
                       std::size_t steps);

/// A path that holds wherever the reader stands.
std::string absolute_path(const std::string& path);

/// A text as part of a file name: what is not a letter, a digit or one of "_-." becomes "_", quotes go.
std::string file_name_part(const std::string& text);

}  // namespace datachange
