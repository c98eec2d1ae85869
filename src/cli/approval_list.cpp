#include "cli/approval_list.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "approve/admission.hpp"
#include "cli/compose.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

/// The approvals of a definition as one target sees them.
struct TargetApprovals {
    std::string target, database;
    unsigned required = 0;
    std::vector<JudgedApproval> approvals;

    bool enough() const { return counting(approvals) >= required; }
};

TargetApprovals approvals_on(const Settings& settings, const DefinitionFile& file) {
    const Definition definition = read_definition(file, settings.engine());
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    RunFacts facts;
    facts.version = definition.version;
    facts.definition_sha256 = definition.sha256;
    facts.target = settings.target;
    facts.database = target->name();
    facts.operators = {current_operator(settings.operator_name), current_operator("")};
    facts.now = utc_now();
    facts.used = UsedApprovals(*target).all(definition.version);
    return {settings.target, facts.database, settings.approvals_required,
            judge_approvals(file.path, facts, settings.allowed_signers, {})};
}

std::string signer_of(const JudgedApproval& one) {
    return one.signature.principals.empty() ? "" : one.signature.principals.front();
}

std::string approval_json(const JudgedApproval& one) {
    JsonObject object;
    object.add("file", one.path)
        .add("counts", one.obstacle.empty())
        .add_or_null("why_not", one.obstacle)
        .add_or_null("signer", signer_of(one))
        .add_or_null("key", one.signature.key)
        .add_or_null("approved_by", one.approval ? one.approval->approved_by : "")
        .add_or_null("approved_at", one.approval ? one.approval->approved_at : "")
        .add_or_null("expires_at", one.approval ? one.approval->expires_at : "")
        .add_or_null("nonce", one.approval ? one.approval->nonce : "");
    return object.text();
}

std::string target_json(const TargetApprovals& one) {
    std::vector<std::string> approvals;
    for (const JudgedApproval& approval : one.approvals) approvals.push_back(approval_json(approval));
    return JsonObject{}
        .add_or_null("target", one.target)
        .add("database", one.database)
        .add("required", static_cast<std::uint64_t>(one.required))
        .add("counting", counting(one.approvals))
        .raw("approvals", "[" + join(approvals, ",") + "]")
        .text();
}

std::string target_text(const TargetApprovals& one) {
    std::string out = fmt::format(
        "{}: {} of {} that {} required\n", one.target.empty() ? one.database : one.target,
        counted(counting(one.approvals), "approval"), one.required, one.required == 1 ? "is" : "are");
    Table table({"file", "signer", "approved", "expires", "counts"});
    for (const JudgedApproval& approval : one.approvals) {
        table.add({std::filesystem::path(approval.path).filename().string(), signer_of(approval),
                   approval.approval ? approval.approval->approved_at : "",
                   approval.approval ? approval.approval->expires_at : "",
                   approval.obstacle.empty() ? "yes" : "no: " + approval.obstacle});
    }
    return out + (table.empty() ? "" : table.text(2));
}

}  // namespace

bool print_approvals(const std::vector<Settings>& scope, const std::string& definition, bool json) {
    const DefinitionFile file = find_definition(scope.front().dir, definition);
    std::vector<std::string> texts;
    bool enough = true;
    for (const Settings& settings : scope) {
        const TargetApprovals one = approvals_on(settings, file);
        texts.push_back(json ? target_json(one) : target_text(one));
        enough = enough && one.enough();
    }
    if (json) {
        fmt::print("{}\n", JsonObject{}
                               .add("version", file.version)
                               .add("name", file.name)
                               .raw("targets", "[" + join(texts, ",") + "]")
                               .text());
    } else {
        fmt::print("{} {}\n{}", file.version, file.name, join(texts, ""));
    }
    return enough;
}

}  // namespace datachange
