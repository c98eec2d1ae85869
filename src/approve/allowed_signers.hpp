#pragma once

#include <optional>
#include <string>
#include <vector>

#include "approve/judge.hpp"
#include "approve/scratch_folder.hpp"

namespace datachange {

/// A file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS), and what ssh-keygen says of signatures by it.
/// What its options mean (namespaces=, valid-before=, cert-authority) is ssh-keygen's business.
class AllowedSigners {
public:
    /// Reads it once: all signatures are checked by one state of the file.
    /// @throws Error (failed) if it is not given, not there, or has nobody in it
    explicit AllowedSigners(const std::string& path);

    SignatureCheck check(const std::string& text, const std::string& signature) const;

private:
    std::string by_its_own_name(std::string said) const;
    /// By one line of the file alone; nothing if it is not of the signature's key.
    std::optional<SignatureCheck> check_by(const std::string& line, const std::string& text,
                                           const std::string& signature_file) const;

    std::string m_path;
    std::vector<std::string> m_lines;  ///< those that name somebody
    ScratchFolder m_folder;
    std::string m_file;  ///< a copy of all of it
};

}  // namespace datachange
