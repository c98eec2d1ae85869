#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/migrate.hpp"
#include "cli/on_targets.hpp"
#include "cli/readable_error.hpp"
#include "core/text.hpp"
#include "report/json.hpp"
#include "report/target_outcome.hpp"

namespace datachange {

namespace {

std::vector<VersionState> pending_on(const Settings& settings, std::string& target) {
    settings.require_database();
    std::vector<VersionState> pending = states_on_target(settings, target);
    std::erase_if(pending, [](const VersionState& version) { return !version.pending(); });
    return pending;
}

std::string versions_are(std::size_t count) {
    return count == 1 ? "1 version is" : fmt::format("{} versions are", count);
}

/// One of several targets.
struct PendingOnTarget {
    std::string target;
    std::vector<VersionState> pending;
    std::optional<Error> error;  ///< it could not be asked
};

PendingOnTarget pending_on_one_of(const Settings& settings, const TargetConfig& target) {
    PendingOnTarget found{target.name, {}, std::nullopt};
    try {
        std::string ignored;
        found.pending = pending_on(settings.for_target(target), ignored);
    } catch (...) {
        found.error = readable_error(std::current_exception());
    }
    return found;
}

std::string targets_json(const std::vector<PendingOnTarget>& targets) {
    std::vector<std::string> items;
    for (const PendingOnTarget& one : targets) {
        items.push_back(JsonObject{}
                            .add("target", one.target)
                            .raw("pending", one.error ? "null" : versions_json(one.pending))
                            .add_or_null("error", one.error ? one.error->what() : "")
                            .add_or_null("hint", one.error ? one.error->hint() : "")
                            .text());
    }
    return JsonObject{}.raw("targets", json_list(items)).text();
}

/// @throws Error (pending) that says what is pending where
int abort_if_pending_on(const Settings& settings, const OutputOptions& output) {
    std::vector<PendingOnTarget> targets(settings.chosen.size());
    in_parallel(targets.size(), settings.given.choice.jobs, [&](std::size_t place) {
        targets[place] = pending_on_one_of(settings, settings.chosen[place]);
    });
    if (output.json) fmt::print("{}\n", targets_json(targets));
    std::vector<std::pair<std::string, Error>> errors;
    std::vector<int> statuses;
    std::vector<std::string> lines;
    for (const PendingOnTarget& one : targets) {
        std::vector<std::string> names;
        for (const VersionState& version : one.pending) names.push_back(titled(version));
        if (!names.empty()) lines.push_back(fmt::format("  {}: {}", one.target, join(names, ", ")));
        if (!one.error) continue;
        errors.emplace_back(one.target, *one.error);
        statuses.push_back(static_cast<int>(one.error->code()));
    }
    fmt::print(stderr, "{}", errors_text(errors));
    const ExitCode worst = errors.empty() ? ExitCode::pending : static_cast<ExitCode>(most_serious(statuses));
    if (!lines.empty()) {
        throw Error(worst,
                    fmt::format("something is pending on {} of {}:\n{}", lines.size(),
                                counted(targets.size(), "target"), join(lines, "\n")),
                    "`datachange migrate` with the same choice of targets runs them.");
    }
    if (!errors.empty()) return static_cast<int>(worst);
    if (!output.json) fmt::print("nothing is pending on {}\n", counted(targets.size(), "target"));
    return 0;
}

int abort_if_pending(const Settings& settings, const OutputOptions& output) {
    if (settings.several_targets()) return abort_if_pending_on(settings, output);
    std::string target;
    const std::vector<VersionState> pending = pending_on(settings, target);
    if (output.json) {
        fmt::print("{}\n", JsonObject{}.add("target", target).raw("pending", versions_json(pending)).text());
    }
    if (pending.empty()) {
        if (!output.json) fmt::print("nothing is pending on {}\n", target);
        return 0;
    }
    std::vector<std::string> lines;
    const auto is_schema = [](const VersionState& version) { return version.kind == "schema"; };
    for (const VersionState& version : pending) {
        lines.push_back(
            fmt::format("  {}{}, {}", titled(version), is_schema(version) ? " (schema)" : "", version.state));
    }
    throw Error(
        ExitCode::pending,
        fmt::format("{} not done on {}:\n{}", versions_are(pending.size()), target, join(lines, "\n")),
        std::any_of(pending.begin(), pending.end(), is_schema)
            ? "`datachange migrate --with-schema` runs them."
            : "`datachange migrate` runs them.");
}

}  // namespace

void add_abort_if_pending(CommandTree& tree) {
    CLI::App* command =
        tree.add("abort-if-pending", "Exit with 3 if something is pending: for deploy scripts",
                 "datachange abort-if-pending --database sqlite:shop.db && systemctl restart shop",
                 [](const Settings& settings, const OutputOptions& output) {
                     return abort_if_pending(settings, output);
                 });
    tree.add_targets(command);
    tree.add_dir(command);
    tree.add_schema_dir(command);
    tree.add_json(command);
}

}  // namespace datachange
