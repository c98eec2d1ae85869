#include "approve/judge.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

constexpr double clock_tolerance_s = 300;

/// A database's name without who logs in, and with the port that is meant where none is said.
std::string place_of(const std::string& database) {
    constexpr std::string_view scheme = "postgresql://";
    if (!database.starts_with(scheme)) return database;
    const std::string rest = database.substr(scheme.size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    std::string host = rest.substr(0, slash);
    host.erase(0, host.find('@') + 1);  // npos + 1 is 0
    const std::size_t port = host.find(':', host.rfind(']') + 1);
    if (port == std::string::npos) host += ":5432";
    return host + rest.substr(slash);
}

std::string name_before_at(const std::string& name) {
    return lower(trim(name.substr(0, name.find('@'))));
}

std::string scope_text(const Approval& approval) {
    std::vector<std::string> names;
    for (const ApprovedTarget& target : approval.scope)
        names.push_back(target.target.empty() ? target.database : target.target);
    return join(names, ", ");
}

std::string time_obstacle(const Approval& approval, const RunFacts& facts) {
    const double now = parse_utc(facts.now).value_or(0);
    if (now >= parse_utc(approval.expires_at).value_or(0)) {
        return fmt::format("it expired at {}, and the clock here says {}", approval.expires_at, facts.now);
    }
    if (parse_utc(approval.approved_at).value_or(0) > now + clock_tolerance_s) {
        return fmt::format("it was signed at {}, which is yet to come: the clock here says {}",
                           approval.approved_at, facts.now);
    }
    return {};
}

std::string own_obstacle(const Approval& approval, const SignatureCheck& signature, const RunFacts& facts) {
    for (const std::string& name : facts.operators) {
        for (const std::string& principal : signature.principals) {
            if (same_person(name, principal))
                return fmt::format("it is signed by {}, who runs it ({})", principal, name);
        }
        if (same_person(name, approval.approved_by))
            return fmt::format("it was made by {}, who runs it", approval.approved_by);
    }
    return {};
}

std::string drift_obstacle(const ApprovedTarget& target, const RunFacts& facts) {
    if (facts.planned.empty()) return {};
    for (std::size_t i = 0; i < facts.planned.size(); ++i) {
        const auto step =
            std::find_if(target.steps.begin(), target.steps.end(),
                         [&](const ApprovedStep& one) { return one.step == static_cast<int>(i) + 1; });
        if (step == target.steps.end()) return fmt::format("it has no rows for step {}", i + 1);
        if (within_drift(facts.planned[i], step->planned, facts.drift)) continue;
        return fmt::format(
            "step {}{} is about {} now, and {} approved, which is more than {:.4g} % off", step->step,
            step->table.empty() ? "" : " (" + step->table + ")", counted(facts.planned[i], "row"),
            step->planned == 1 ? "1 was" : with_thousands(step->planned) + " were", facts.drift * 100);
    }
    return {};
}

}  // namespace

bool within_drift(std::uint64_t planned, std::uint64_t approved, double drift) {
    const std::uint64_t difference = planned > approved ? planned - approved : approved - planned;
    if (difference == 0) return true;
    if (drift <= 0) return false;
    // what is a whole number must not be missed by the last digit of a product such as 0.1 * 30
    return static_cast<double>(difference) <= std::max(1.0, drift * static_cast<double>(approved) + 1e-6);
}

bool same_person(const std::string& one, const std::string& other) {
    const std::string name = name_before_at(one);
    return !name.empty() && name == name_before_at(other);
}

const ApprovedTarget* target_in_scope(const Approval& approval, const RunFacts& facts) {
    for (const ApprovedTarget& target : approval.scope) {
        const bool both_named = !target.target.empty() && !facts.target.empty();
        const bool same = both_named ? target.target == facts.target
                                     : place_of(target.database) == place_of(facts.database);
        if (same) return &target;
    }
    return nullptr;
}

std::string judge(const Approval& approval, const SignatureCheck& signature, const RunFacts& facts) {
    if (!signature.obstacle.empty()) return signature.obstacle;
    if (approval.version != facts.version) return fmt::format("it is for version {}", approval.version);
    if (approval.definition_sha256 != facts.definition_sha256)
        return "the definition was edited since it was approved";
    const ApprovedTarget* const target = target_in_scope(approval, facts);
    if (target == nullptr) return fmt::format("it is for {}", scope_text(approval));
    if (std::string why = time_obstacle(approval, facts); !why.empty()) return why;
    for (const UsedNonce& used : facts.used) {
        if (used.nonce == approval.nonce)
            return fmt::format("run {} has used it up", used.run_uuid.substr(0, 8));
    }
    if (std::string why = own_obstacle(approval, signature, facts); !why.empty()) return why;
    return drift_obstacle(*target, facts);
}

void count_people_once(std::vector<JudgedApproval>& approvals, const std::vector<std::string>& signers) {
    std::set<std::string> people, keys;
    for (const std::string& signer : signers) people.insert(lower(signer));
    for (JudgedApproval& one : approvals) {
        if (!one.obstacle.empty()) continue;
        const auto known =
            std::find_if(one.signature.principals.begin(), one.signature.principals.end(),
                         [&](const std::string& principal) { return people.contains(lower(principal)); });
        if (known != one.signature.principals.end()) {
            one.obstacle = fmt::format("{} has approved already, and counts once", *known);
        } else if (keys.contains(one.signature.key)) {
            one.obstacle = fmt::format("the key {} has approved already, and counts once", one.signature.key);
        } else {
            for (const std::string& principal : one.signature.principals) people.insert(lower(principal));
            keys.insert(one.signature.key);
        }
    }
}

}  // namespace datachange
