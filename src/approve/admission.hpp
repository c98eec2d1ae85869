#pragma once

#include <string>
#include <vector>

#include "approve/judge.hpp"
#include "definition/definition.hpp"
#include "run/admission.hpp"

namespace datachange {

/// All approvals beside a definition, oldest first, each held against a run; see judge and count_people_once.
/// @param allowed_signers path of the file
/// @param signers who has approved the run before
/// @throws Error (failed) if signatures cannot be checked at all
std::vector<JudgedApproval> judge_approvals(const std::string& definition, const RunFacts& facts,
                                            const std::string& allowed_signers,
                                            const std::vector<std::string>& signers);

std::uint64_t counting(const std::vector<JudgedApproval>& approvals);

/// What a run asks that needs approvals. A run that goes on keeps those that it began with.
/// @param database name of the target, without password
/// @param operators names of who runs it
Admit require_approvals(const Definition& definition, const ApprovalOptions& options,
                        const std::string& database, const std::vector<std::string>& operators);

}  // namespace datachange
