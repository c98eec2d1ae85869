#include <memory>
#include <set>
#include <string>

#include <fmt/format.h>

#include "cli/apply_schema.hpp"
#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/enqueue.hpp"
#include "cli/migrate.hpp"
#include "cli/on_targets.hpp"
#include "cli/signals.hpp"
#include "core/text.hpp"
#include "report/json.hpp"
#include "report/run_report.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

struct Options {
    MigrateOptions migrate;
    bool dry_run = false;
    bool any_order = false;
    bool async = false;
    const CLI::App* command = nullptr;
};

std::string failure_json(const MigrateReport& report) {
    if (!report.failed) return "";
    return JsonObject{}
        .add("version", report.failed->version)
        .add("name", report.failed->name)
        .add("kind", report.failed->kind)
        .add("error", report.error->what())
        .add_or_null("where", report.error->where())
        .add_or_null("hint", report.error->hint())
        .add("exit_status", static_cast<int>(report.error->code()))
        .text();
}

std::string schema_json(const AppliedSchema& schema) {
    return JsonObject{}
        .add("version", schema.version.version)
        .add("name", schema.version.name)
        .add("kind", schema.version.kind)
        .add("path", schema.file.path)
        .add("applied", schema.result.applied)
        .add("transactional", schema.file.transactional)
        .add("statements", static_cast<std::uint64_t>(schema.result.statements))
        .add("resumed_after", static_cast<std::uint64_t>(schema.result.resumed_after))
        .add("duration_ms", schema.result.duration_ms)
        .text();
}

void print_schema(const AppliedSchema& schema) {
    fmt::print("schema migration {} {}\n", titled(schema.version),
               schema.result.applied ? "applied: " + schema_result_text(schema.file, schema.result)
                                     : "was applied by " + schema.result.by);
}

std::string report_json(const MigrateReport& report) {
    std::vector<std::string> schema;
    for (const AppliedSchema& applied : report.schema) schema.push_back(schema_json(applied));
    std::vector<std::string> done;
    for (const RunResult& run : report.done) done.emplace_back(trim(run_json(run)));
    return JsonObject{}
               .add("target", report.target)
               .raw("done", json_list(done))
               .raw("schema", json_list(schema))
               .raw("failed", failure_json(report))
               .raw("not_run", versions_json(report.not_run))
               .text() +
           "\n";
}

std::string report_text(const MigrateReport& report) {
    if (report.done.empty() && report.schema.empty() && !report.failed)
        return fmt::format("nothing is pending on {}\n", report.target);
    std::uint64_t rows = 0;
    for (const RunResult& run : report.done) rows += run.rows.changed();
    return fmt::format("{} done on {}, {} changed\n",
                       counted(report.done.size() + report.schema.size(), "version"), report.target,
                       counted(rows, "row"));
}

std::string would_run_json(const std::string& target, const std::vector<VersionState>& sequence) {
    return JsonObject{}.add("target", target).raw("would_run", versions_json(sequence)).text();
}

std::string would_run_text(const std::vector<VersionState>& sequence) {
    if (sequence.empty()) return "nothing is pending";
    std::vector<std::string> names;
    for (const VersionState& version : sequence) names.push_back(version.name);
    return fmt::format("would run {}: {}", counted(sequence.size(), "version"), join(names, ", "));
}

int print_planned(const Settings& settings, const Options& options, const OutputOptions& output) {
    std::string target;
    const auto listener = listener_for(output);
    const std::vector<VersionState> sequence = planned_sequence(
        settings, options.migrate, target, [&](const std::string& text) { listener->warning(text); });
    if (output.json) {
        fmt::print("{}\n", would_run_json(target, sequence));
        return 0;
    }
    if (sequence.empty()) {
        fmt::print("nothing is pending on {}\n", target);
        return 0;
    }
    fmt::print("would run on {}, in this order:\n", target);
    Table table({"version", "kind", "name", "state"});
    for (const VersionState& version : sequence)
        table.add({version.version, version.kind, version.name, version.state});
    fmt::print("{}", table.text(2));
    return 0;
}

/// Options on how to run mean nothing where a worker runs it with its own: none is left out in silence.
void require_queueable(const CLI::App& command) {
    static const std::set<std::string> meant{"async",        "to",
                                             "only",         "step",
                                             "strict-order", "allow-out-of-order",
                                             "database",     "target",
                                             "config",       "dir",
                                             "schema-dir",   "operator",
                                             "json",         "journal-schema",
                                             "quiet",        "progress",
                                             "group",        "all",
                                             "jobs",         "fail-fast"};
    for (const CLI::Option* option : command.get_options()) {
        if (option->count() == 0 || option->get_lnames().empty() ||
            meant.contains(option->get_lnames().front()))
            continue;
        throw Error(ExitCode::usage,
                    fmt::format("--async cannot be given with --{}", option->get_lnames().front()),
                    "Versions are run by `datachange work`, as its own options say. Nothing was enqueued.");
    }
}

int migrate_later(const Settings& settings, const Options& options, const OutputOptions& output) {
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    target->require_writable();
    print_enqueued(*target, enqueue_pending(settings, *target, options.migrate.sequence), output);
    return 0;
}

/// One of several targets.
void migrate_one_of(const Settings& settings, const Options& options, Listener& listener, StopRequest& stop,
                    TargetOutcome& outcome) {
    if (options.async) {
        const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
        target->require_writable();
        const std::vector<QueueItem> items = enqueue_pending(settings, *target, options.migrate.sequence);
        outcome.state = items.empty() ? "skipped" : "pending";
        outcome.note = items.empty() ? "nothing is pending" : "enqueued " + counted(items.size(), "version");
        return;
    }
    if (options.dry_run) {
        std::string target;
        const std::vector<VersionState> sequence = planned_sequence(
            settings, options.migrate, target, [&](const std::string& text) { listener.warning(text); });
        outcome.state = sequence.empty() ? "skipped" : "pending";
        outcome.note = would_run_text(sequence);
        outcome.result = would_run_json(target, sequence);
        return;
    }
    const MigrateReport report =
        migrate(settings, options.migrate, listener, &stop, [&](const RunResult& result) {
            outcome.rows += result.rows;
            outcome.runs.push_back(result.run);
        });
    outcome.result = report_json(report);
    if (report.error) {
        const bool halted = report.error->code() == ExitCode::pending;
        outcome.error = report.error;
        outcome.state = !halted ? "failed" : stop.requested() ? "stopped" : "held";
    } else if (report.done.empty() && report.schema.empty()) {
        outcome.state = "skipped";
        outcome.note = "nothing is pending";
    } else if (!report.schema.empty()) {
        outcome.note = "applied " + counted(report.schema.size(), "schema migration");
    }
}

int migrate_targets(const Settings& settings, const Options& options, const OutputOptions& output) {
    require_no_timings(options.migrate.work);
    const auto work = [&](const Settings& own, Listener& listener, StopRequest& stop,
                          TargetOutcome& outcome) { migrate_one_of(own, options, listener, stop, outcome); };
    const char* const what = options.async     ? "migrate (into the queue)"
                             : options.dry_run ? "migrate (dry run)"
                                               : "migrate";
    return work_on_targets(settings, {what, false, work}, output);
}

int migrate_command(const Settings& settings, const Options& options, const OutputOptions& output) {
    if (options.async) require_queueable(*options.command);
    if (settings.several_targets()) return migrate_targets(settings, options, output);
    settings.require_database();
    if (options.async) return migrate_later(settings, options, output);
    if (options.dry_run) return print_planned(settings, options, output);
    StopRequest stop;
    const SignalWatch signals(stop);
    const auto listener = listener_for(output);
    const MigrateReport report = migrate(
        settings, options.migrate, *listener, &stop,
        [&](const RunResult& result) {
            if (!output.json) print_result(result, output);
        },
        [&](const AppliedSchema& schema) {
            if (!output.json) print_schema(schema);
        });
    fmt::print("{}", output.json ? report_json(report) : report_text(report));
    if (report.error) throw *report.error;
    return 0;
}

}  // namespace

void add_migrate(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add("migrate", "Run every definition that is pending, in the order of versions",
                                 "datachange migrate --to 20260301120000 --database sqlite:shop.db",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return migrate_command(settings, *options, output);
                                 });
    options->command = command;
    SequenceOptions& sequence = options->migrate.sequence;
    command->add_option("--to", sequence.to, "Up to this version, and no further")->type_name("VERSION");
    command->add_option("--only", sequence.only, "This version alone, if it is pending")
        ->type_name("VERSION")
        ->excludes("--to");
    command->add_option("--step", sequence.most, "So many versions, from the first pending one on")
        ->check(CLI::PositiveNumber)
        ->type_name("NUMBER");
    command->add_flag("--strict-order", sequence.strict_order,
                      "Refuse where a pending version is older than one that is done");
    command
        ->add_flag("--allow-out-of-order", options->any_order, "Run such versions all the same (the default)")
        ->excludes("--strict-order");
    command->add_flag("--with-schema", options->migrate.with_schema,
                      "Apply the schema migrations of --schema-dir in their turn as well");
    tree.add_schema_dir(command);
    command->add_flag("--dry-run", options->dry_run, "Tell what would be run, and change nothing");
    command->add_flag("--async", options->async,
                      "Put them into the queue, for `work` to run, and return at once");
    tree.add_work_on_targets(command, options->migrate.work);
}

}  // namespace datachange
