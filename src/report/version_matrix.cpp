#include "report/version_matrix.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "report/json.hpp"
#include "report/table.hpp"
#include "report/target_outcome.hpp"

namespace datachange {

namespace {

constexpr std::size_t fewest = 3;  // that a median says something of

bool has_run(const VersionState* state) {
    return state != nullptr && (state->state == "done" || state->state == "edited");
}

double median_of(std::vector<std::uint64_t> numbers) {
    std::sort(numbers.begin(), numbers.end());
    const std::size_t half = numbers.size() / 2;
    const auto upper = static_cast<double>(numbers[half]);
    return numbers.size() % 2 == 1 ? upper : (static_cast<double>(numbers[half - 1]) + upper) / 2;
}

bool is_far(std::uint64_t rows, double median) {
    const auto number = static_cast<double>(rows);
    return number >= 10 * std::max(median, 1.0) || (median > 0 && number * 10 <= median);
}

std::string median_text(double median) {
    const auto whole = static_cast<std::uint64_t>(median);
    return with_thousands(whole) + (median > static_cast<double>(whole) ? ".5" : "");
}

std::string sentence(const std::vector<TargetVersions>& targets, const Outlier& outlier) {
    return fmt::format("! {}: {} changed, and the median {} is {}", targets[outlier.target].target,
                       counted(outlier.rows, "row"),
                       outlier.group.empty() ? "of all targets" : "of group " + outlier.group,
                       median_text(outlier.median));
}

std::string title_of(const VersionAcross& version) {
    return version.file ? version.name : "***** NO FILE ***** (" + version.name + ")";
}

// --- the grid

std::string cell(const TargetVersions& target, const VersionState* state, bool outlier) {
    if (target.error) return "unreachable";
    if (state == nullptr) return "-";
    const std::string rows = has_run(state) ? " " + with_thousands(state->rows_changed) : "";
    return state->state + rows + (outlier ? " !" : "");
}

std::string grid(const std::vector<TargetVersions>& targets, const std::vector<VersionAcross>& versions) {
    std::vector<std::string> header{"version", "name"};
    for (const TargetVersions& target : targets) header.push_back(target.target);
    Table table(header);
    for (const VersionAcross& version : versions) {
        std::set<std::size_t> far;
        for (const Outlier& outlier : find_outliers(targets, version)) far.insert(outlier.target);
        std::vector<std::string> cells{version.version, title_of(version)};
        for (std::size_t i = 0; i < targets.size(); ++i)
            cells.push_back(cell(targets[i], version.on[i], far.contains(i)));
        table.add(cells);
    }
    return table.text();
}

bool fits(const std::string& text, std::size_t width) {
    for (const std::string& line : split(text, '\n')) {
        if (display_width(line) > width) return false;
    }
    return true;
}

std::string outlier_lines(const std::vector<TargetVersions>& targets,
                          const std::vector<VersionAcross>& versions, std::size_t width) {
    std::string out;
    for (const VersionAcross& version : versions) {
        for (const Outlier& outlier : find_outliers(targets, version))
            out += wrapped(sentence(targets, outlier) + " (" + version.name + ")", width) + "\n";
    }
    return out.empty() ? "" : "\n" + out;
}

// --- in lines

/// Targets by what the version is on them, the most frequent first.
std::vector<std::pair<std::string, std::vector<std::size_t>>> by_state(
    const std::vector<TargetVersions>& targets, const VersionAcross& version) {
    std::map<std::string, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i].error) continue;
        places[version.on[i] == nullptr ? "not there" : version.on[i]->state].push_back(i);
    }
    std::vector<std::pair<std::string, std::vector<std::size_t>>> ordered(places.begin(), places.end());
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
    return ordered;
}

std::string rows_text(const VersionAcross& version, const std::vector<std::size_t>& places) {
    std::uint64_t least = version.on[places.front()]->rows_changed;
    std::uint64_t most = least;
    std::uint64_t sum = 0;
    for (const std::size_t place : places) {
        const std::uint64_t rows = version.on[place]->rows_changed;
        least = std::min(least, rows);
        most = std::max(most, rows);
        sum += rows;
    }
    if (places.size() == 1) return counted(sum, "row");
    if (least == most) return fmt::format("{} each, {} in all", counted(least, "row"), with_thousands(sum));
    return fmt::format("{} to {}, {} in all", with_thousands(least), counted(most, "row"),
                       with_thousands(sum));
}

std::string names_text(const std::vector<TargetVersions>& targets, const std::vector<std::size_t>& places,
                       bool counted_only) {
    constexpr std::size_t shown = 24;
    if (counted_only && places.size() > 4) return std::to_string(places.size());
    std::vector<std::string> names;
    for (const std::size_t place : places) {
        if (names.size() == shown) break;
        names.push_back(targets[place].target);
    }
    return join(names, ", ") +
           (places.size() > shown ? fmt::format(" and {} more", places.size() - shown) : "");
}

/// The lines of one version, the later ones of each indented beneath the first.
std::string indented(const std::string& text, std::size_t indent, std::size_t width) {
    const std::string spaces(indent, ' ');
    std::string out;
    for (const std::string& line : split(wrapped(text, width > indent + 20 ? width - indent - 2 : 20), '\n'))
        out += spaces + (out.empty() ? "" : "  ") + line + "\n";
    return out;
}

std::string version_lines(const std::vector<TargetVersions>& targets, const VersionAcross& version,
                          std::size_t width) {
    std::string out = fit(version.version + "  " + title_of(version), width) + "\n";
    bool first = true;
    for (const auto& [state, places] : by_state(targets, version)) {
        const bool done = has_run(version.on[places.front()]);
        out += indented(
            fmt::format("{} on {}{}", state, names_text(targets, places, first || state == "excluded"),
                        done ? ": " + rows_text(version, places) : ""),
            4, width);
        first = false;
    }
    for (const Outlier& outlier : find_outliers(targets, version))
        out += indented(sentence(targets, outlier), 4, width);
    return out;
}

// --- below either

std::string errors_below(const std::vector<TargetVersions>& targets) {
    std::vector<std::pair<std::string, Error>> errors;
    for (const TargetVersions& target : targets) {
        if (target.error) errors.emplace_back(target.target, *target.error);
    }
    return errors.empty() ? "" : "\n" + errors_text(errors);
}

std::string totals_text(const std::vector<TargetVersions>& targets) {
    std::uint64_t reached = 0;
    std::uint64_t pending = 0;
    std::uint64_t elsewhere = 0;
    for (const TargetVersions& target : targets) {
        reached += target.error ? 0 : 1;
        pending += target.pending() > 0 ? 1 : 0;
        elsewhere += target.runs_elsewhere;
    }
    std::string out = counted(targets.size(), "target");
    if (reached < targets.size()) out += fmt::format(", {} unreachable", targets.size() - reached);
    out += pending == 0 ? "; nothing is pending" : fmt::format("; something is pending on {}", pending);
    if (elsewhere > 0) {
        out += fmt::format("\n{} of the journals {} not in this ledger: the evidence is elsewhere.",
                           counted(elsewhere, "run"), elsewhere == 1 ? "is" : "are");
    }
    return out + "\n";
}

// --- JSON

std::string target_json(const TargetVersions& target) {
    return JsonObject{}
        .add("target", target.target)
        .add_or_null("group", target.group)
        .add_or_null("shard_of", target.shard_of)
        .add_or_null("database", target.database)
        .add("reachable", !target.error.has_value())
        .add_or_null("error", target.error ? target.error->what() : "")
        .add_or_null("hint", target.error ? target.error->hint() : "")
        .raw("exit_status", target.error ? std::to_string(static_cast<int>(target.error->code())) : "0")
        .raw("pending", target.error ? "null" : std::to_string(target.pending()))
        .raw("runs_elsewhere", target.error ? "null" : std::to_string(target.runs_elsewhere))
        .raw("rows_changed", target.error ? "null" : std::to_string(target.rows_changed))
        .add_or_null("last_success", target.last_success)
        .text();
}

std::string state_json(const TargetVersions& target, const VersionState& state, const Outlier* outlier) {
    JsonObject object;
    object.add("target", target.target)
        .add("state", state.state)
        .add_or_null("path", state.path)
        .add("runs", state.runs)
        .add("rows_changed", state.rows_changed)
        .add("outlier", outlier != nullptr)
        .raw("median", outlier == nullptr ? "" : fmt::format("{:.1f}", outlier->median));
    return object.add_or_null("operator", state.operator_name)
        .add_or_null("finished_at", state.finished_at)
        .add_or_null("uuid", state.uuid)
        .add_or_null("undone_by", state.undone_by)
        .add_or_null("reason", state.reason)
        .text();
}

std::string version_json(const std::vector<TargetVersions>& targets, const VersionAcross& version) {
    const std::vector<Outlier> far = find_outliers(targets, version);
    std::vector<std::string> states;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (version.on[i] == nullptr) continue;
        const auto outlier =
            std::find_if(far.begin(), far.end(), [&](const Outlier& one) { return one.target == i; });
        states.push_back(state_json(targets[i], *version.on[i], outlier == far.end() ? nullptr : &*outlier));
    }
    return JsonObject{}
        .add("version", version.version)
        .add("name", version.name)
        .add("file", version.file)
        .raw("on", json_list(states))
        .text();
}

}  // namespace

std::uint64_t TargetVersions::pending() const {
    return static_cast<std::uint64_t>(std::count_if(
        versions.begin(), versions.end(), [](const VersionState& version) { return version.pending(); }));
}

TargetVersions versions_on(const std::vector<VersionFile>& files, const JournalState& journal,
                           const std::string& group) {
    TargetVersions found;
    found.group = group;
    found.versions = version_states(files, journal, group);
    for (const JournalRun& run : journal.runs) {
        found.rows_changed += run.rows_changed;
        if (run.state == "done") found.last_success = std::max(found.last_success, run.finished_at);
    }
    return found;
}

std::vector<VersionAcross> versions_across(const std::vector<TargetVersions>& targets) {
    std::map<std::string, VersionAcross> versions;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        for (const VersionState& state : targets[i].versions) {
            VersionAcross& version = versions[state.version];
            version.on.resize(targets.size(), nullptr);
            version.on[i] = &state;
            version.version = state.version;
            if (version.name.empty() || (!version.file && !state.path.empty())) version.name = state.name;
            version.file = version.file || !state.path.empty();
        }
    }
    std::vector<VersionAcross> ordered;
    for (auto& [number, version] : versions) ordered.push_back(std::move(version));
    return ordered;
}

std::vector<Outlier> find_outliers(const std::vector<TargetVersions>& targets, const VersionAcross& version) {
    std::vector<std::uint64_t> all;
    std::map<std::string, std::vector<std::uint64_t>> of_group;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (!has_run(version.on[i])) continue;
        all.push_back(version.on[i]->rows_changed);
        if (!targets[i].group.empty()) of_group[targets[i].group].push_back(version.on[i]->rows_changed);
    }
    std::vector<Outlier> far;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (!has_run(version.on[i])) continue;
        const auto group = of_group.find(targets[i].group);
        const bool within_group = group != of_group.end() && group->second.size() >= fewest;
        const std::vector<std::uint64_t>& others = within_group ? group->second : all;
        if (others.size() < fewest) continue;
        const std::uint64_t rows = version.on[i]->rows_changed;
        const double median = median_of(others);
        if (is_far(rows, median)) far.push_back({i, rows, median, within_group ? targets[i].group : ""});
    }
    return far;
}

std::string matrix_text(const std::vector<TargetVersions>& targets, std::size_t width) {
    const std::vector<VersionAcross> versions = versions_across(targets);
    std::string out;
    if (versions.empty()) {
        out = "no definitions\n";
    } else if (std::string table = grid(targets, versions); fits(table, width)) {
        out = std::move(table) + outlier_lines(targets, versions, width);
    } else {
        for (const VersionAcross& version : versions) out += version_lines(targets, version, width);
    }
    return out + errors_below(targets) + "\n" + totals_text(targets);
}

std::string matrix_json(const std::vector<TargetVersions>& targets) {
    std::vector<std::string> objects;
    std::vector<std::string> versions;
    std::uint64_t unreachable = 0;
    std::uint64_t pending = 0;
    for (const TargetVersions& target : targets) {
        objects.push_back(target_json(target));
        unreachable += target.error ? 1 : 0;
        pending += target.pending();
    }
    for (const VersionAcross& version : versions_across(targets))
        versions.push_back(version_json(targets, version));
    return JsonObject{}
               .raw("targets", json_list(objects))
               .raw("definitions", json_list(versions))
               .add("totals", JsonObject{}
                                  .add("targets", static_cast<std::uint64_t>(targets.size()))
                                  .add("unreachable", unreachable)
                                  .add("pending", pending))
               .text() +
           "\n";
}

}  // namespace datachange
