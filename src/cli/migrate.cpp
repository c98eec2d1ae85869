#include "cli/migrate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/compose.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "plan/plan.hpp"

namespace datachange {

namespace {

RunOptions options_of(const Settings& settings, const VersionState& version, const WorkOptions& work) {
    RunOptions run = run_options(settings, version.path, work.run);
    if (!work.on_error.empty()) run.skip_failures = work.on_error == "skip";
    return run;
}

/// What can be checked of a definition before its turn comes: earlier ones may make what its statements need.
void require_plannable(const Settings& settings, const VersionState& version, const WorkOptions& work) {
    if (version.path.empty()) {
        throw Error(
            ExitCode::usage,
            fmt::format("version {} is {}, and there is no file of it in {}", titled(version), version.state,
                        settings.dir),
            fmt::format("Put the file back, or say what became of it: `datachange mark {} done --reason "
                        "...`. Nothing was changed.",
                        version.version));
    }
    make_plan(read_definition(definition_file(version.path), settings.engine()),
              options_of(settings, version, work));
}

bool still_pending(const Settings& settings, const VersionState& version) {
    std::string ignored;
    for (const VersionState& state : states_on_target(settings, ignored)) {
        if (state.version == version.version) return state.pending();
    }
    return true;
}

bool changed_anything(const std::vector<RunResult>& done) {
    return std::any_of(done.begin(), done.end(), [](const RunResult& run) { return run.rows.changed() > 0; });
}

/// Says what else was done and was not, and gives the whole its exit status.
void explain(MigrateReport& report, std::size_t planned) {
    Error& error = *report.error;
    const bool nothing = error.code() == ExitCode::failed || error.code() == ExitCode::unreachable;
    if (nothing && changed_anything(report.done)) error.set_code(ExitCode::partial);
    std::string hint = error.hint();
    const auto add = [&hint](const std::string& sentence) { hint += (hint.empty() ? "" : " ") + sentence; };
    if (!report.done.empty()) add(fmt::format("{} of {} were run before.", report.done.size(), planned));
    if (!report.not_run.empty()) {
        std::vector<std::string> names;
        for (const VersionState& version : report.not_run) names.push_back(titled(version));
        add(fmt::format("Not run: {}.", join(names, ", ")));
    }
    error.set_hint(hint);
    error.at(report.failed->path);
}

}  // namespace

std::vector<VersionState> states_on_target(const Settings& settings, std::string& target) {
    const std::vector<VersionFile> files = version_files(settings.dir, settings.engine());
    const auto connected = connect_target(settings.database, settings.engine(), settings.journal_schema);
    target = connected->name();
    return version_states(files, journal_state(*connected), settings.group);
}

MigrateReport migrate(const Settings& settings, const MigrateOptions& options, Listener& listener,
                      StopRequest* stop, const std::function<void(const RunResult&)>& finished) {
    MigrateReport report;
    const std::vector<VersionState> sequence =
        pending_sequence(states_on_target(settings, report.target), options.sequence);
    for (const VersionState& version : sequence) require_plannable(settings, version, options.work);
    for (const VersionState& version : sequence)
        require_approved(options_of(settings, version, options.work), settings.engine(), version.uuid);
    for (std::size_t i = 0; i < sequence.size(); ++i) {
        const VersionState& version = sequence[i];
        try {
            if (stop != nullptr && stop->requested())
                throw Error(ExitCode::pending, "stopped on request", "`datachange migrate` goes on.");
            if (i > 0 && !still_pending(settings, version)) continue;
            report.done.push_back(
                execute_run(options_of(settings, version, options.work), settings.engine(), listener, stop));
        } catch (const Error& error) {
            report.failed = version;
            report.error = error;
            report.not_run.assign(sequence.begin() + static_cast<std::ptrdiff_t>(i) + 1, sequence.end());
            explain(report, sequence.size());
            return report;
        }
        finished(report.done.back());
    }
    return report;
}

}  // namespace datachange
