#include <algorithm>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/migrate.hpp"
#include "core/text.hpp"
#include "report/json.hpp"

namespace datachange {

namespace {

std::string pending_json(const std::string& target, const std::vector<VersionState>& pending) {
    std::vector<std::string> items;
    for (const VersionState& version : pending) {
        items.push_back(JsonObject{}
                            .add("version", version.version)
                            .add("name", version.name)
                            .add("state", version.state)
                            .text());
    }
    return JsonObject{}.add("target", target).raw("pending", "[" + join(items, ",") + "]").text();
}

int abort_if_pending(const Settings& settings, const OutputOptions& output) {
    settings.require_database();
    std::string target;
    std::vector<VersionState> pending = states_on_target(settings, target);
    std::erase_if(pending, [](const VersionState& version) { return !version.pending(); });
    if (output.json) fmt::print("{}\n", pending_json(target, pending));
    if (pending.empty()) {
        if (!output.json) fmt::print("nothing is pending on {}\n", target);
        return 0;
    }
    std::vector<std::string> lines;
    for (const VersionState& version : pending)
        lines.push_back(fmt::format("  {}, {}", titled(version), version.state));
    throw Error(
        ExitCode::pending,
        fmt::format("{} not done on {}:\n{}",
                    pending.size() == 1 ? "1 version is" : fmt::format("{} versions are", pending.size()),
                    target, join(lines, "\n")),
        "`datachange migrate` runs them.");
}

}  // namespace

void add_abort_if_pending(CommandTree& tree) {
    CLI::App* command =
        tree.add("abort-if-pending", "Exit with 3 if something is pending: for deploy scripts",
                 "datachange abort-if-pending --database sqlite:shop.db && systemctl restart shop",
                 [](const Settings& settings, const OutputOptions& output) {
                     return abort_if_pending(settings, output);
                 });
    tree.add_target(command);
    tree.add_dir(command);
    tree.add_json(command);
}

}  // namespace datachange
