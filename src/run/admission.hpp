#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "target/target.hpp"

namespace datachange {

/// Somebody's signature under a run, as it is used up by it and kept as evidence.
struct UsedApproval {
    std::string nonce, version;
    std::string signer;          ///< the principal that the signature is of: "anna@example.com"
    std::string text;            ///< what was signed, byte for byte
    std::string signature;       ///< as ssh-keygen wrote it
    std::string allowed_signer;  ///< the line of the file of allowed signers that let it pass
};

/// A nonce that stands in the target's journal.
struct UsedNonce {
    std::string nonce, run_uuid, version, signer, used_at;
};

/// What a run shows to be let through.
struct AdmissionRequest {
    std::string run;  ///< UUID of the run that goes on; "": one begins
    std::vector<std::uint64_t>
        planned;                  ///< rows of each step's set; empty: not known, as the run goes on or skips
    std::vector<UsedNonce> used;  ///< of the version, on this target
};

/// Says whether a run may change anything.
/// @return the approvals that are used up by it
/// @throws Error (failed) that says what is missing
using Admit = std::function<std::vector<UsedApproval>(const AdmissionRequest&)>;

/// The approvals that are used up on a target, in the table datachange_approvals of its journal.
class UsedApprovals {
public:
    explicit UsedApprovals(Target& target) : m_target(target) {}

    bool exists() const;
    /// Empty if the table is not there. @param version "": of all
    std::vector<UsedNonce> all(const std::string& version) const;
    /// Part of the transaction in which a run is taken.
    /// @throws Error (failed) if another run was faster
    void use(const std::vector<UsedApproval>& approvals, const std::string& run_uuid);
    /// Gives back those of a run, unless a batch of it has committed. The run has ended, or is withdrawn.
    void give_back(const std::string& run_uuid);

private:
    std::string table() const { return m_target.journal_prefix() + "datachange_approvals"; }

    Target& m_target;
};

}  // namespace datachange
