#include <memory>
#include <set>
#include <string>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/enqueue.hpp"
#include "cli/migrate.hpp"
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

std::string versions_json(const std::vector<VersionState>& versions) {
    std::vector<std::string> items;
    for (const VersionState& version : versions) {
        items.push_back(JsonObject{}
                            .add("version", version.version)
                            .add("name", version.name)
                            .add("state", version.state)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string failure_json(const MigrateReport& report) {
    if (!report.failed) return "";
    return JsonObject{}
        .add("version", report.failed->version)
        .add("name", report.failed->name)
        .add("error", report.error->what())
        .add_or_null("where", report.error->where())
        .add_or_null("hint", report.error->hint())
        .add("exit_status", static_cast<int>(report.error->code()))
        .text();
}

std::string report_json(const MigrateReport& report) {
    std::vector<std::string> done;
    for (const RunResult& run : report.done) done.emplace_back(trim(run_json(run)));
    return JsonObject{}
               .add("target", report.target)
               .raw("done", json_list(done))
               .raw("failed", failure_json(report))
               .raw("not_run", versions_json(report.not_run))
               .text() +
           "\n";
}

std::string report_text(const MigrateReport& report) {
    if (report.done.empty() && !report.failed)
        return fmt::format("nothing is pending on {}\n", report.target);
    std::uint64_t rows = 0;
    for (const RunResult& run : report.done) rows += run.rows.changed();
    return fmt::format("{} done on {}, {} changed\n", counted(report.done.size(), "version"), report.target,
                       counted(rows, "row"));
}

int print_planned(const Settings& settings, const Options& options, const OutputOptions& output) {
    std::string target;
    const std::vector<VersionState> sequence =
        pending_sequence(states_on_target(settings, target), options.migrate.sequence);
    if (output.json) {
        fmt::print("{}\n",
                   JsonObject{}.add("target", target).raw("would_run", versions_json(sequence)).text());
        return 0;
    }
    if (sequence.empty()) {
        fmt::print("nothing is pending on {}\n", target);
        return 0;
    }
    fmt::print("would run on {}, in this order:\n", target);
    Table table({"version", "name", "state"});
    for (const VersionState& version : sequence) table.add({version.version, version.name, version.state});
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
                                             "quiet",        "progress"};
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
    require_queueable(*options.command);
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    target->require_writable();
    print_enqueued(*target, enqueue_pending(settings, *target, options.migrate.sequence), output);
    return 0;
}

int migrate_command(const Settings& settings, const Options& options, const OutputOptions& output) {
    settings.require_database();
    if (options.async) return migrate_later(settings, options, output);
    if (options.dry_run) return print_planned(settings, options, output);
    StopRequest stop;
    const SignalWatch signals(stop);
    const auto listener = listener_for(output);
    const MigrateReport report =
        migrate(settings, options.migrate, *listener, &stop, [&](const RunResult& result) {
            if (!output.json) print_result(result, output);
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
    command->add_flag("--dry-run", options->dry_run, "Tell what would be run, and change nothing");
    command->add_flag("--async", options->async,
                      "Put them into the queue, for `work` to run, and return at once");
    tree.add_work(command, options->migrate.work);
}

}  // namespace datachange
