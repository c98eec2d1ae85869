#include "cli/target_choice.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

std::vector<std::string> target_names(const Config& config) {
    std::vector<std::string> names;
    for (const TargetConfig& target : config.targets) names.push_back(target.name);
    return names;
}

std::string enumerated(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 12;
    if (names.size() <= shown) return join(names, ", ");
    return fmt::format("{} and {} more", join({names.begin(), names.begin() + shown}, ", "),
                       names.size() - shown);
}

[[noreturn]] void refuse_name(const Config& config, const std::string& name) {
    std::vector<std::string> known = target_names(config);
    const std::string all = known_targets(config);
    for (const TargetConfig& target : config.targets) {
        if (!target.shard_of.empty()) known.push_back(target.shard_of);
    }
    throw Error(ExitCode::usage, fmt::format("no such target: {}", name),
                did_you_mean(name, known,
                             known.empty() ? "The config file has no table [target.NAME]."
                                           : fmt::format("Known are: {}.", all)));
}

void require_known_groups(const Config& config, const std::vector<std::string>& groups) {
    std::set<std::string> known;
    for (const TargetConfig& target : config.targets) {
        if (!target.group.empty()) known.insert(target.group);
    }
    for (const std::string& group : groups) {
        if (known.contains(group)) continue;
        const std::vector<std::string> names{known.begin(), known.end()};
        throw Error(ExitCode::usage, fmt::format("no target is in group {}", group),
                    did_you_mean(group, names,
                                 names.empty() ? "No target of the config file has a key group."
                                               : fmt::format("Known are: {}.", join(names, ", "))));
    }
}

void require_known_names(const Config& config, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        const bool known = std::any_of(
            config.targets.begin(), config.targets.end(),
            [&](const TargetConfig& target) { return target.name == name || target.shard_of == name; });
        if (name.empty() || !known) refuse_name(config, name);
    }
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return !name.empty() && std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool TargetChoice::names_one(const std::vector<TargetConfig>& chosen) const {
    return chosen.size() == 1 && groups.empty() && !all && contains(names, chosen.front().name);
}

std::vector<TargetConfig> choose_targets(const Config& config, const TargetChoice& choice) {
    if (choice.all && config.targets.empty()) {
        throw Error(ExitCode::usage, "there are no targets: the config file has no table [target.NAME]",
                    "Write [target.NAME] with url = \"postgresql://...\" into datachange.toml, or give "
                    "--database URL.");
    }
    require_known_names(config, choice.names);
    require_known_groups(config, choice.groups);
    std::vector<TargetConfig> chosen;
    for (const TargetConfig& target : config.targets) {
        if (choice.all || contains(choice.names, target.name) || contains(choice.names, target.shard_of) ||
            contains(choice.groups, target.group))
            chosen.push_back(target);
    }
    return chosen;
}

const TargetConfig& one_target(const Config& config, const std::string& name) {
    std::vector<std::string> shards;
    for (const TargetConfig& target : config.targets) {
        if (target.name == name) return target;
        if (!name.empty() && target.shard_of == name) shards.push_back(target.name);
    }
    if (shards.empty()) refuse_name(config, name);
    throw Error(ExitCode::usage, fmt::format("target {} has several shards", name),
                fmt::format("Name one of them: {}.", enumerated(shards)));
}

std::string known_targets(const Config& config) {
    return enumerated(target_names(config));
}

}  // namespace datachange
