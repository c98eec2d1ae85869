#pragma once

#include <string>
#include <vector>

#include "approve/approval.hpp"

namespace datachange {

/// A file that should be an approval, as it stands beside a definition.
struct ApprovalFile {
    std::string path;
    std::string text, signature;
    std::string obstacle;  ///< why it could not be read, a clause; "": it was
};

/// The folder of a definition's approvals: "audits/20260101000000_fill.sql.approvals".
std::string approvals_folder(const std::string& definition);

/// What stands there, by name; nothing where there is no folder.
std::vector<ApprovalFile> list_approvals(const std::string& definition);

/// Writes an approval, <nonce8>-<name>.json, and its signature, the same with .sig behind. They hold no
/// values and travel with the definition: everybody may read them. @return the path of the first
/// @throws Error (failed)
std::string write_approval(const std::string& definition, const Approval& approval, const std::string& text,
                           const std::string& signature);

}  // namespace datachange
