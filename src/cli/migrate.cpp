#include "cli/migrate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/apply_schema.hpp"
#include "cli/compose.hpp"
#include "cli/definition_groups.hpp"
#include "cli/readable_error.hpp"
#include "cli/work_options.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "migrate/schema_standing.hpp"
#include "migrate/schema_state.hpp"
#include "migrate/schema_statements.hpp"
#include "plan/plan.hpp"
#include "report/json.hpp"

namespace datachange {

namespace {

const SchemaFile& file_of(const VersionState& version, const std::vector<SchemaFile>& schema) {
    return *std::find_if(schema.begin(), schema.end(),
                         [&](const SchemaFile& file) { return file.version == version.version; });
}

void require_file(const VersionState& version, const std::string& folder) {
    if (!version.path.empty()) return;
    throw Error(ExitCode::usage,
                fmt::format("version {} is {}, and there is no file of it in {}", titled(version),
                            version.state, folder),
                fmt::format("Put the file back, or say what became of it: `datachange mark {} done --reason "
                            "...`. Nothing was changed.",
                            version.version));
}

/// The same for a version of either kind.
void require_plannable(const Settings& settings, const VersionState& version,
                       const std::vector<SchemaFile>& schema, const WorkOptions& work) {
    if (version.kind != "schema") return require_plannable(settings, version, work);
    require_file(version, settings.schema_dir);
    schema_statements(file_of(version, schema), settings.engine());
}

/// What can be told beforehand of those that somebody has begun.
void require_applicable(const Settings& settings, const std::vector<VersionState>& sequence,
                        const std::vector<SchemaFile>& schema) {
    const auto is_schema = [](const VersionState& version) { return version.kind == "schema"; };
    if (std::none_of(sequence.begin(), sequence.end(), is_schema)) return;
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    for (const VersionState& version : sequence) {
        if (is_schema(version)) standing_of(*target, file_of(version, schema), SchemaAttempt{});
    }
}

bool still_pending(const Settings& settings, const VersionState& version) {
    std::string ignored;
    for (const VersionState& state : states_on_target(settings, ignored)) {
        if (state.version == version.version) return state.pending();
    }
    return true;
}

bool changed_anything(const MigrateReport& report) {
    const auto changed_rows = [](const RunResult& run) { return run.rows.changed() > 0; };
    const auto applied = [](const AppliedSchema& schema) { return schema.result.applied; };
    return std::any_of(report.done.begin(), report.done.end(), changed_rows) ||
           std::any_of(report.schema.begin(), report.schema.end(), applied);
}

/// Says what else was done and was not, and gives the whole its exit status.
void explain(MigrateReport& report, std::size_t planned) {
    Error& error = *report.error;
    const bool nothing = error.code() == ExitCode::failed || error.code() == ExitCode::unreachable;
    if (nothing && changed_anything(report)) error.set_code(ExitCode::partial);
    std::string hint = error.hint();
    const auto add = [&hint](const std::string& sentence) { hint += (hint.empty() ? "" : " ") + sentence; };
    const std::size_t done = report.done.size() + report.schema.size();
    if (done > 0) add(fmt::format("{} of {} were run before.", done, planned));
    if (!report.not_run.empty()) {
        std::vector<std::string> names;
        for (const VersionState& version : report.not_run) names.push_back(titled(version));
        add(fmt::format("Not run: {}.", join(names, ", ")));
    }
    error.set_hint(hint);
    error.at(report.failed->path);
}

}  // namespace

std::string versions_json(const std::vector<VersionState>& versions) {
    std::vector<std::string> items;
    for (const VersionState& version : versions) {
        items.push_back(JsonObject{}
                            .add("version", version.version)
                            .add("name", version.name)
                            .add("kind", version.kind)
                            .add("state", version.state)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

void require_plannable(const Settings& settings, const VersionState& version, const WorkOptions& work) {
    require_file(version, settings.dir);
    const DefinitionFile file = definition_file(version.path);
    DefinitionGroups(file).require_known(settings);
    make_plan(read_definition(file, settings.engine()), run_options(settings, version.path, work));
}

std::vector<VersionState> states_on_target(const Settings& settings, std::string& target) {
    const std::vector<VersionFile> files = version_files(settings.dir, settings.engine());
    const std::vector<SchemaFile> schema = schema_files_beside(settings.dir, settings.schema_dir);
    const auto connected = connect_target(settings.database, settings.engine(), settings.journal_schema);
    target = connected->name();
    const JournalState journal = journal_state(*connected);
    return in_one_order(version_states(files, journal, settings.group),
                        schema_states(*connected, schema, journal.marks), !settings.schema_dir.empty());
}

std::vector<VersionState> planned_sequence(const Settings& settings, const MigrateOptions& options,
                                           std::string& target,
                                           const std::function<void(const std::string&)>& warning) {
    if (options.with_schema && settings.schema_dir.empty()) {
        throw Error(ExitCode::usage, "--with-schema needs a folder of schema migrations",
                    "Name it with --schema-dir, or with schema-dir in datachange.toml. Nothing was changed.");
    }
    std::vector<VersionState> states = states_on_target(settings, target);
    if (options.with_schema) return pending_sequence(states, options.sequence);
    const std::vector<VersionState> all = states;
    std::erase_if(states, [](const VersionState& state) { return state.kind == "schema"; });
    std::vector<VersionState> sequence = pending_sequence(states, options.sequence);
    for (const VersionState& state : all) {
        if (state.kind != "schema" || !state.pending()) continue;
        if (sequence.empty() || sequence.back().version < state.version) continue;
        warning(fmt::format(
            "schema migration {} is {}, and older than what is run now: --with-schema applies it in its "
            "turn",
            titled(state), state.state));
    }
    return sequence;
}

MigrateReport migrate(const Settings& settings, const MigrateOptions& options, Listener& listener,
                      StopRequest* stop, const std::function<void(const RunResult&)>& finished,
                      const std::function<void(const AppliedSchema&)>& applied) {
    MigrateReport report;
    const std::vector<VersionState> sequence = planned_sequence(
        settings, options, report.target, [&](const std::string& text) { listener.warning(text); });
    const std::vector<SchemaFile> schema = schema_files_beside(settings.dir, settings.schema_dir);
    for (const VersionState& version : sequence) require_plannable(settings, version, schema, options.work);
    require_applicable(settings, sequence, schema);
    for (const VersionState& version : sequence) {
        if (version.kind == "schema") continue;
        require_approved(run_options(settings, version.path, options.work), settings.engine(), version.uuid);
    }
    for (std::size_t i = 0; i < sequence.size(); ++i) {
        const VersionState& version = sequence[i];
        try {
            if (stop != nullptr && stop->requested())
                throw Error(ExitCode::pending, "stopped on request", "`datachange migrate` goes on.");
            if (i > 0 && !still_pending(settings, version)) continue;
            const RunOptions run = run_options(settings, version.path, options.work);
            if (version.kind == "schema") {
                const SchemaFile& file = file_of(version, schema);
                report.schema.push_back(
                    {version, file, execute_schema(run, settings.engine(), file, listener, stop)});
                if (applied) applied(report.schema.back());
                continue;
            }
            report.done.push_back(execute_run(run, settings.engine(), listener, stop));
        } catch (const Error& error) {
            report.failed = version;
            const auto* const database = dynamic_cast<const DatabaseError*>(&error);
            report.error = database != nullptr ? readable(*database) : error;
            report.not_run.assign(sequence.begin() + static_cast<std::ptrdiff_t>(i) + 1, sequence.end());
            explain(report, sequence.size());
            return report;
        }
        finished(report.done.back());
    }
    return report;
}

}  // namespace datachange
