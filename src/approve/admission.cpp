#include "approve/admission.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "approve/allowed_signers.hpp"
#include "approve/approval_files.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

JudgedApproval judged(const ApprovalFile& file, const AllowedSigners& signers, const RunFacts& facts) {
    JudgedApproval one;
    one.path = file.path;
    one.text = file.text;
    one.signature_text = file.signature;
    one.obstacle = file.obstacle;
    if (!one.obstacle.empty()) return one;
    one.signature = signers.check(file.text, file.signature);
    one.obstacle = one.signature.obstacle;  // what is not signed by somebody known is not told
    try {
        one.approval = parse_approval(file.text);
        if (one.obstacle.empty()) one.obstacle = judge(*one.approval, one.signature, facts);
    } catch (const Error& failure) {
        if (one.obstacle.empty()) one.obstacle = failure.what();
    }
    return one;
}

std::string age(const JudgedApproval& one) {
    return one.approval ? one.approval->approved_at : "";
}

class Gate {
public:
    Gate(const Definition& definition, ApprovalOptions options, std::string database,
         std::vector<std::string> operators)
        : m_path(definition.path), m_options(std::move(options)) {
        m_facts.version = definition.version;
        m_facts.definition_sha256 = definition.sha256;
        m_facts.target = m_options.target;
        m_facts.database = std::move(database);
        m_facts.operators = std::move(operators);
        m_facts.drift = m_options.drift;
    }

    std::vector<UsedApproval> admit(const AdmissionRequest& request) const {
        std::vector<std::string> kept;
        for (const UsedNonce& used : request.used) {
            if (!request.run.empty() && used.run_uuid == request.run) kept.push_back(used.signer);
        }
        if (kept.size() >= m_options.required) return {};
        RunFacts facts = m_facts;
        facts.now = utc_now();
        facts.planned = request.planned;
        facts.used = request.used;
        const auto found = judge_approvals(m_path, facts, m_options.allowed_signers, kept);
        if (kept.size() + counting(found) < m_options.required) refuse(found, kept);
        return used_up(found);
    }

private:
    std::vector<UsedApproval> used_up(const std::vector<JudgedApproval>& found) const {
        std::vector<UsedApproval> used;
        for (const JudgedApproval& one : found) {
            if (!one.obstacle.empty()) continue;
            used.push_back({one.approval->nonce, m_facts.version, one.signature.principals.front(), one.text,
                            one.signature_text, one.signature.allowed_signer});
        }
        return used;
    }

    [[noreturn]] void refuse(const std::vector<JudgedApproval>& found,
                             const std::vector<std::string>& kept) const {
        const std::string target = m_options.target.empty() ? m_facts.database : m_options.target;
        const std::uint64_t there = kept.size() + counting(found);
        std::string message = fmt::format("version {} needs {} of other people on {}, and has {}",
                                          m_facts.version, counted(m_options.required, "approval"), target,
                                          there == 0 ? "none" : std::to_string(there));
        if (!kept.empty()) message += fmt::format("\n  kept since the run began: {}", join(kept, ", "));
        for (const JudgedApproval& one : found) {
            message += fmt::format(
                "\n  {}: {}", one.path,
                one.obstacle.empty() ? "counts, by " + one.signature.principals.front() : one.obstacle);
        }
        const std::string option = m_options.target.empty() ? "" : " --target " + m_options.target;
        throw Error(
            ExitCode::failed, message,
            fmt::format("Have somebody else look at it and sign: `datachange approve {}{} --key KEY`; their "
                        "files go into {}/. Nothing was changed.",
                        m_facts.version, option, approvals_folder(m_path)));
    }

    std::string m_path;
    ApprovalOptions m_options;
    RunFacts m_facts;  ///< as far as they are known beforehand
};

}  // namespace

std::vector<JudgedApproval> judge_approvals(const std::string& definition, const RunFacts& facts,
                                            const std::string& allowed_signers,
                                            const std::vector<std::string>& signers) {
    const AllowedSigners allowed(allowed_signers);
    std::vector<JudgedApproval> found;
    for (const ApprovalFile& file : list_approvals(definition)) found.push_back(judged(file, allowed, facts));
    std::stable_sort(found.begin(), found.end(),
                     [](const JudgedApproval& a, const JudgedApproval& b) { return age(a) < age(b); });
    count_people_once(found, signers);
    return found;
}

std::uint64_t counting(const std::vector<JudgedApproval>& approvals) {
    return static_cast<std::uint64_t>(std::count_if(approvals.begin(), approvals.end(),
                                                    [](const auto& one) { return one.obstacle.empty(); }));
}

Admit require_approvals(const Definition& definition, const ApprovalOptions& options,
                        const std::string& database, const std::vector<std::string>& operators) {
    return [gate = Gate(definition, options, database, operators)](const AdmissionRequest& request) {
        return gate.admit(request);
    };
}

}  // namespace datachange
