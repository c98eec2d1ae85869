#include "migrate/sequence.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

const VersionState& known(const std::vector<VersionState>& states, const std::string& option,
                          const std::string& which) {
    std::vector<std::string> names;
    const VersionState* found = nullptr;
    for (const VersionState& state : states) {
        names.push_back(state.version);
        if (!state.name.empty()) names.push_back(state.name);
        const bool same = state.version == which || state.version + "_" + state.name == which ||
                          (!state.name.empty() && state.name == which);
        if (same && found != nullptr) {
            throw Error(
                ExitCode::usage,
                fmt::format("{} {}: {} and {} are called so", option, which, found->version, state.version),
                "Give the version.");
        }
        if (same) found = &state;
    }
    if (found != nullptr) return *found;
    throw Error(ExitCode::usage, fmt::format("{} {}: there is no such version", option, which),
                did_you_mean(which, names, "`datachange status` lists them."));
}

/// Whether a version has been dealt with on the target, and so stands in the order.
bool passed(const VersionState& state) {
    return !state.pending() && state.state != "excluded";
}

void require_order(const std::vector<VersionState>& states, const std::vector<VersionState>& sequence) {
    const auto newest = std::find_if(states.rbegin(), states.rend(), passed);
    if (newest == states.rend()) return;
    std::vector<std::string> late;
    for (const VersionState& state : sequence) {
        if (state.version < newest->version) late.push_back(titled(state));
    }
    if (late.empty()) return;
    throw Error(
        ExitCode::failed,
        fmt::format("out of order: {} came after {} was done: {}", counted(late.size(), "version"),
                    titled(*newest), join(late, ", ")),
        "Look whether the change still means what it was written for. --allow-out-of-order runs it all the "
        "same; a new version number (`datachange new`) puts it behind. Nothing was changed.");
}

}  // namespace

std::string titled(const VersionState& state) {
    return state.name.empty() ? state.version : state.version + " " + state.name;
}

std::vector<VersionState> pending_sequence(const std::vector<VersionState>& states,
                                           const SequenceOptions& options) {
    const std::string to = options.to.empty() ? "" : known(states, "--to", options.to).version;
    std::vector<VersionState> sequence;
    if (!options.only.empty()) {
        const VersionState& only = known(states, "--only", options.only);
        if (!only.pending()) {
            throw Error(ExitCode::failed, fmt::format("{} is not pending: {}", titled(only), only.state),
                        "`datachange run` with --again runs a version once more. Nothing was changed.");
        }
        sequence.push_back(only);
    } else {
        std::copy_if(states.begin(), states.end(), std::back_inserter(sequence),
                     [&](const VersionState& state) {
                         return state.pending() && (to.empty() || state.version <= to);
                     });
    }
    if (options.strict_order) require_order(states, sequence);
    if (options.most > 0 && sequence.size() > options.most) sequence.resize(options.most);
    return sequence;
}

}  // namespace datachange
