#include "run/run_description.hpp"

#include "core/clock.hpp"
#include "core/git_commit.hpp"
#include "core/hash.hpp"

namespace datachange {

namespace {

std::string evidence_of(const Step& step) {
    switch (step.evidence) {
        case EvidenceLevel::full:
            return "full";
        case EvidenceLevel::keys:
            return "keys";
        case EvidenceLevel::counts:
            return "counts";
    }
    return "full";
}

}  // namespace

RunHeader run_header(const Plan& plan, const Target& target, const RunParts& parts, Mode mode) {
    const Definition& definition = plan.definition;
    RunHeader header;
    header.uuid = new_uuid();
    header.version = definition.version;
    header.name = definition.name;
    header.definition = definition.text;
    header.definition_sha256 = definition.sha256;
    header.definition_path = definition.path;
    header.git_commit = git_commit_of(definition.path);
    header.engine = target.engine();
    header.target = target.name();
    header.operator_name = parts.identity.operator_name;
    header.host = parts.identity.host;
    header.process = parts.identity.process;
    header.ticket = definition.ticket;
    header.author = definition.author;
    header.tool_version = parts.identity.tool_version;
    header.server_version = target.server_version();
    header.mode = mode_name(mode);
    header.dry_run = parts.dry_run;
    header.started_at = utc_now();
    header.redaction_key = parts.redaction_key;
    if (parts.undo) header.reverses = parts.undo->source.run().uuid;
    return header;
}

std::vector<StepHeader> step_headers(const Plan& plan) {
    std::vector<StepHeader> steps, watches;
    auto number = static_cast<int>(plan.steps.size());
    for (const StepPlan& planned : plan.steps) {
        const Step& step = planned.step;
        steps.push_back(
            {step.number, 0, step.name, step.table, step.identifier, evidence_of(step), step.redact});
        for (const Watch& watch : step.watches) {
            watches.push_back({++number, step.number, "watch_" + watch.table, watch.table, watch.identifier,
                               "full", step.redact});
        }
    }
    steps.insert(steps.end(), watches.begin(), watches.end());
    return steps;
}

RunResult new_result(const Plan& plan, const RunHeader& header, std::int64_t run) {
    RunResult result;
    result.run = run;
    result.uuid = header.uuid;
    result.version = header.version;
    result.name = header.name;
    result.engine = header.engine;
    result.target = header.target;
    result.mode = header.mode;
    result.dry_run = header.dry_run;
    result.reverses = header.reverses;
    for (const UsedApproval& approval : header.approvals) result.approved_by.push_back(approval.signer);
    for (const StepPlan& planned : plan.steps) {
        StepResult step;
        step.number = planned.step.number;
        step.name = planned.step.name;
        step.table = planned.step.table;
        step.only_verified = planned.step.only_verifies();
        result.steps.push_back(std::move(step));
    }
    for (const StepPlan& planned : plan.steps) {
        for (const Watch& watch : planned.step.watches) {
            StepResult step;
            step.number = static_cast<int>(result.steps.size()) + 1;
            step.watch_of = planned.step.number;
            step.table = watch.table;
            result.steps.push_back(std::move(step));
        }
    }
    return result;
}

}  // namespace datachange
