#include "approve/approval.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* format = "datachange approval 1";

Json or_null(const std::string& text) {
    return text.empty() ? Json{} : Json(text);
}

std::string text_or_empty(const Json& value) {
    return value.is_null() ? "" : value.get<std::string>();
}

Json step_json(const ApprovedStep& step) {
    return {{"step", step.step},
            {"name", or_null(step.name)},
            {"table", or_null(step.table)},
            {"planned", step.planned},
            {"pre", step.rows.pre},
            {"change", step.rows.change},
            {"post", step.rows.post},
            {"updated", step.rows.updated},
            {"inserted", step.rows.inserted},
            {"deleted", step.rows.deleted},
            {"identifiers_sha256", or_null(step.identifiers_sha256)}};
}

Json target_json(const ApprovedTarget& target) {
    Json steps = Json::array();
    for (const ApprovedStep& step : target.steps) steps.push_back(step_json(step));
    return {{"target", or_null(target.target)},
            {"group", or_null(target.group)},
            {"database", target.database},
            {"steps", std::move(steps)}};
}

ApprovedStep step_of(const Json& json) {
    ApprovedStep step;
    step.step = json.at("step").get<int>();
    step.name = text_or_empty(json.at("name"));
    step.table = text_or_empty(json.at("table"));
    step.planned = json.at("planned").get<std::uint64_t>();
    for (const auto& [name, count] : {std::pair{"pre", &step.rows.pre},
                                      {"change", &step.rows.change},
                                      {"post", &step.rows.post},
                                      {"updated", &step.rows.updated},
                                      {"inserted", &step.rows.inserted},
                                      {"deleted", &step.rows.deleted}}) {
        *count = json.at(name).get<std::uint64_t>();
    }
    step.identifiers_sha256 = text_or_empty(json.at("identifiers_sha256"));
    return step;
}

ApprovedTarget target_of(const Json& json) {
    ApprovedTarget target;
    target.target = text_or_empty(json.at("target"));
    target.group = text_or_empty(json.at("group"));
    target.database = json.at("database").get<std::string>();
    for (const Json& step : json.at("steps")) target.steps.push_back(step_of(step));
    return target;
}

bool is_uuid(const std::string& text) {
    constexpr std::size_t length = 36;
    return text.size() == length && text.find_first_not_of("0123456789abcdef-") == std::string::npos;
}

std::string moment_of(const Json& json, const char* name) {
    std::string text = json.at(name).get<std::string>();
    if (!parse_utc(text)) throw Error(ExitCode::failed, fmt::format("{} is no time", name));
    return text;
}

}  // namespace

std::string approval_text(const Approval& approval) {
    Json scope = Json::array();
    for (const ApprovedTarget& target : approval.scope) scope.push_back(target_json(target));
    const Json json = {{"format", format},
                       {"version", approval.version},
                       {"name", approval.name},
                       {"definition_sha256", approval.definition_sha256},
                       {"scope", std::move(scope)},
                       {"approved_by", approval.approved_by},
                       {"approved_at", approval.approved_at},
                       {"expires_at", approval.expires_at},
                       {"nonce", approval.nonce}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Approval parse_approval(const std::string& text) {
    try {
        const Json json = Json::parse(text);
        if (const auto found = json.at("format").get<std::string>(); found != format)
            throw Error(ExitCode::failed,
                        fmt::format("it is of the format \"{}\", and this tool knows \"{}\"", found, format));
        Approval approval;
        approval.version = json.at("version").get<std::string>();
        approval.name = json.at("name").get<std::string>();
        approval.definition_sha256 = json.at("definition_sha256").get<std::string>();
        for (const Json& target : json.at("scope")) approval.scope.push_back(target_of(target));
        approval.approved_by = json.at("approved_by").get<std::string>();
        approval.approved_at = moment_of(json, "approved_at");
        approval.expires_at = moment_of(json, "expires_at");
        approval.nonce = json.at("nonce").get<std::string>();
        if (!is_uuid(approval.nonce)) throw Error(ExitCode::failed, "its nonce is no UUID");
        return approval;
    } catch (const Json::exception& failure) {
        throw Error(ExitCode::failed, fmt::format("it is no approval: {}", failure.what()));
    }
}

}  // namespace datachange
