#pragma once

#include <string>

namespace datachange {

/// A folder for files that another program has to find by name; gone with the object.
class ScratchFolder {
public:
    /// @throws Error (failed)
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    /// The path of a file of that name in it.
    std::string path(const std::string& name) const { return m_path + "/" + name; }
    /// Writes a file, over one that is there. @return its path @throws Error (failed)
    std::string write(const std::string& name, const std::string& text) const;

private:
    std::string m_path;
};

/// The whole of a file. @throws Error (failed) that says why it cannot be read
std::string read_text_file(const std::string& path);

}  // namespace datachange
