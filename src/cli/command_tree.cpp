#include "cli/command_tree.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/work_options.hpp"
#include "core/text.hpp"
#include "datachange/version.hpp"

namespace datachange {

namespace {

std::string exit_status_text() {
    std::vector<std::string> texts;
    for (const ExitStatus& status : exit_statuses)
        texts.push_back(fmt::format("{} {}", status.number, status.meaning));
    return wrapped("Exit status: " + join(texts, ", ") + ".", 100);
}

/// The command of the most words that was given: "ledger", then "merge".
const CLI::App& chosen_command(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? app : chosen_command(*chosen.front());
}

}  // namespace

CommandTree::CommandTree()
    : m_app("Runs audited data migrations on PostgreSQL and SQLite, and keeps the evidence.", "datachange") {
    m_app.require_subcommand(1);
    m_app.footer(exit_status_text());
    m_app.set_version_flag("--version", fmt::format("datachange {}", version()));
}

void CommandTree::add_group(const std::string& name, const std::string& description) {
    m_app.add_subcommand(name, description)->require_subcommand(1);
}

CLI::App* CommandTree::add(const std::string& name, const std::string& description,
                           const std::string& example, Command command) {
    CLI::App* const subcommand = add_without_settings(
        name, description, example,
        [this, command = std::move(command)] { return command(resolve_settings(m_given), m_output); });
    subcommand
        ->add_option("--config", m_given.config, "Config file (default datachange.toml where it is there)")
        ->type_name("FILE");
    return subcommand;
}

CLI::App* CommandTree::add_without_settings(const std::string& name, const std::string& description,
                                            const std::string& example, PlainCommand command) {
    const std::vector<std::string> words = split(name, ' ');
    CLI::App* const parent = words.size() == 1 ? &m_app : m_app.get_subcommand(words.front());
    CLI::App* const subcommand = parent->add_subcommand(words.back(), description);
    subcommand->footer("Example:\n  " + example);
    m_commands.emplace_back(subcommand, std::move(command));
    return subcommand;
}

int CommandTree::run(int argc, char** argv) {
    try {
        m_app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return report(error, argc, argv);
    }
    for (const auto& [subcommand, command] : m_commands) {
        if (subcommand->parsed()) return command();
    }
    return static_cast<int>(ExitCode::usage);
}

void CommandTree::add_database(CLI::App* command) {
    command
        ->add_option("-d,--database", m_given.database,
                     "Target: postgresql://user@host/name, sqlite:path or a path (default $DATABASE_URL, "
                     "then PG* variables)")
        ->type_name("URL");
    command
        ->add_option(
            "--journal-schema", m_given.journal_schema,
            "PostgreSQL schema of datachange_runs and datachange_batches (default the current schema)")
        ->type_name("NAME");
}

void CommandTree::add_target(CLI::App* command) {
    add_database(command);
    command->add_option("--target", m_given.target, "Target by its name in the config file: [target.NAME]")
        ->type_name("NAME");
}

void CommandTree::add_targets(CLI::App* command) {
    add_database(command);
    const std::string group = "Several targets of the config file";
    TargetChoice& choice = m_given.choice;
    const auto names = [&](const char* option, std::vector<std::string>& value, const char* description) {
        command->add_option(option, value, description)
            ->delimiter(',')
            ->allow_extra_args(false)
            ->type_name("NAME")
            ->group(group);
    };
    names("--target", choice.names,
          "Targets by their names, [target.NAME]; comma separated or given several times. One with shards "
          "means all "
          "of them");
    names("--group", choice.groups, "All targets of a group");
    command->add_flag("--all", choice.all, "All targets")->group(group);
    command->add_option("--jobs", choice.jobs, "Targets that are worked on at once (default 4)")
        ->check(CLI::Range(1, 256))
        ->type_name("NUMBER")
        ->group(group);
}

void CommandTree::add_fail_fast(CLI::App* command) {
    command
        ->add_flag("--fail-fast", m_given.choice.fail_fast,
                   "After the first failure no target is begun, and runs stop after the batch in hand")
        ->group("Several targets of the config file");
}

void CommandTree::add_ledger(CLI::App* command) {
    command->add_option("--ledger", m_given.ledger, "The audit ledger (default datachange-ledger.db)")
        ->type_name("FILE");
}

void CommandTree::add_dir(CLI::App* command) {
    command->add_option("--dir", m_given.dir, "Folder of the definitions (default audits)")->type_name("DIR");
}

void CommandTree::add_schema_dir(CLI::App* command) {
    command
        ->add_option("--schema-dir", m_given.schema_dir,
                     "Folder of the schema migrations (default: there are none)")
        ->type_name("DIR");
}

void CommandTree::add_csv_dir(CLI::App* command) {
    command->add_option("--csv-dir", m_given.csv_dir, "Folder of the CSV files (default audit-csv)")
        ->type_name("DIR");
}

void CommandTree::add_json(CLI::App* command) {
    command->add_flag("--json", m_output.json, "Print JSON instead of text");
}

void CommandTree::add_batching(CLI::App* command) {
    command
        ->add_option("--batch-size", m_given.batch_size,
                     "Rows in a batch (default the definition's; else 5000 at first, then it adapts)")
        ->check(CLI::PositiveNumber)
        ->type_name("ROWS");
    command
        ->add_option("--batch-threshold", m_given.batch_threshold,
                     "A larger set is run in batches (default 10000)")
        ->check(CLI::NonNegativeNumber)
        ->type_name("ROWS");
}

void CommandTree::add_operator(CLI::App* command) {
    command->add_option("--operator", m_given.operator_name, "Who runs it (default the user)")
        ->type_name("NAME");
}

void CommandTree::add_run_name(CLI::App* command, std::string& run) {
    command->add_option("run", run, "Number in the ledger, a UUID's beginning, or a version: its newest run")
        ->required();
}

void CommandTree::add_work(CLI::App* command, WorkOptions& work) {
    add_target(command);
    add_work_besides_target(command, work);
}

void CommandTree::add_work_on_targets(CLI::App* command, WorkOptions& work) {
    add_targets(command);
    add_fail_fast(command);
    add_work_besides_target(command, work);
}

void CommandTree::add_work_besides_target(CLI::App* command, WorkOptions& work) {
    add_batching(command);
    add_dir(command);
    add_ledger(command);
    add_csv_dir(command);
    add_operator(command);
    add_failure_options(command, work);
    add_pace_options(command, work.run);
    add_progress(command);
    command->add_flag("--timings", work.run.timings, "Tell what the time was spent on");
    add_json(command);
}

void CommandTree::add_progress(CLI::App* command) {
    command->add_option("--progress", m_output.progress, "auto, bar, lines, json or none")
        ->check(CLI::IsMember({"auto", "bar", "lines", "json", "none"}))
        ->type_name("STYLE");
    command->add_flag("-q,--quiet", m_output.quiet, "No progress, no warnings; errors only");
}

/// Help and version go to stdout. @throws Error (usage) for everything else.
int CommandTree::report(const CLI::ParseError& error, int argc, char** argv) {
    if (error.get_exit_code() == 0) return m_app.exit(error);
    const bool unknown = m_app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-';
    const std::string near = near_option(argc, argv);
    throw Error(
        ExitCode::usage, unknown ? "no such command: " + std::string{argv[1]} : error.what(),
        fmt::format("{}see {} --help", near.empty() ? "" : "did you mean " + near + "? ", help_name()));
}

std::string CommandTree::help_name() const {
    const CLI::App* command = &chosen_command(m_app);
    std::string name = command->get_name();
    for (command = command->get_parent(); command != nullptr; command = command->get_parent())
        name = command->get_name() + " " + name;
    return name;
}

/// For a mistyped command or flag, the one that was most likely meant.
std::string CommandTree::near_option(int argc, char** argv) const {
    const CLI::App& chosen = chosen_command(m_app);
    std::vector<std::string> known;
    for (const CLI::App* command : chosen.get_subcommands({})) known.push_back(command->get_name());
    const int place = &chosen == &m_app ? 1 : 2;
    if (!known.empty()) return argc > place ? closest(argv[place], known) : "";
    for (const CLI::Option* option : chosen.get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    for (int i = 2; i < argc; ++i) {
        const std::string word = std::string{argv[i]}.substr(0, std::string_view{argv[i]}.find('='));
        const bool flag = word.starts_with("--");
        if (flag && std::find(known.begin(), known.end(), word) == known.end()) return closest(word, known);
    }
    return {};
}

}  // namespace datachange
