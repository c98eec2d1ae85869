#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "approve/approval.hpp"
#include "run/admission.hpp"

namespace datachange {

/// Whose signature it is, as ssh-keygen says.
struct SignatureCheck {
    std::vector<std::string> principals;  ///< of the line that let it pass; empty: it is not valid
    std::string key;                      ///< fingerprint: "SHA256:..."
    std::string allowed_signer;           ///< that line
    std::string obstacle;                 ///< why it is not valid, a clause; "": it is
};

/// What a run is, that approvals are held against.
struct RunFacts {
    std::string version, definition_sha256;
    std::string target;                  ///< name in the config file; "": it has none
    std::string database;                ///< without password
    std::vector<std::string> operators;  ///< names of who runs it: as given, and the system's user
    std::string now;                     ///< utc_now()
    std::vector<std::uint64_t> planned;  ///< rows of each step's set; empty: not compared
    double drift = 0.1;
    std::vector<UsedNonce> used;  ///< on this target
};

/// Why an approval does not count for a run, a clause; "": it does.
///
/// It counts if the signature is valid, the definition is the one that was approved byte for byte, the target
/// is in the scope, it has not expired, was not used on this target, is not the operator's own, and each step
/// plans about as many rows as were approved.
std::string judge(const Approval& approval, const SignatureCheck& signature, const RunFacts& facts);

/// The target of the scope that the run is on; nullptr: there is none. By the name in the config file where
/// both have one, else by the database, regardless of who logs in.
const ApprovedTarget* target_in_scope(const Approval& approval, const RunFacts& facts);

/// True if the number of rows is about what was approved: it differs by no more than that part of it. One row
/// more or less is let pass, unless drift is 0.
bool within_drift(std::uint64_t planned, std::uint64_t approved, double drift);

/// True if two names are of one person: they are the same up to @, regardless of case.
bool same_person(const std::string& one, const std::string& other);

/// An approval that was found, and whether it counts.
struct JudgedApproval {
    std::string path;
    std::optional<Approval> approval;  ///< nothing where it could not be read
    std::string text, signature_text;
    SignatureCheck signature;
    std::string obstacle;  ///< why it does not count, a clause; "": it does
};

/// One person, and one key, count once: of several the first stays, and others get an obstacle.
/// @param signers who has approved the run before
void count_people_once(std::vector<JudgedApproval>& approvals, const std::vector<std::string>& signers);

}  // namespace datachange
