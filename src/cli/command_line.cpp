#include "cli/command_line.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/work_options.hpp"
#include "core/text.hpp"
#include "datachange/version.hpp"
#include "report/json.hpp"

namespace datachange {

namespace {

constexpr const char* exit_status_text =
    "Exit status: 0 done, 1 failed and nothing was changed, 2 wrong usage, 3 pending or halted,\n"
    "4 the evidence does not match, 5 target or ledger cannot be reached, 6 failed after some batches\n"
    "were committed.";

/// Everything that the options of all commands are parsed into.
struct Parsed {
    GivenSettings given;
    OutputOptions output;
    NewOptions new_options;
    InitOptions init;
    CheckOptions check;
    RunCommandOptions run;
    ResumeCommandOptions resume;
    RequestCommandOptions request;
    StatusOptions status;
    RunsOptions runs;
    HistoryOptions history;
    std::string shown_run;
};

using Command = std::function<int(const Settings&)>;

class CommandLine {
public:
    CommandLine() {
        m_app.require_subcommand(1);
        m_app.footer(exit_status_text);
        m_app.set_version_flag("--version", fmt::format("datachange {}", version()));
        add_new();
        add_init();
        add_check();
        add_run();
        add_resume();
        add_retry();
        add_request("pause", "Have a run wait after the batch in hand, until `resume`", "datachange pause 3");
        add_cancel();
        add_throttle();
        add_status();
        add_runs();
        add_show();
        add_history();
    }

    int run(int argc, char** argv) {
        try {
            m_app.parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            return report(error, argc, argv);
        }
        for (const auto& [subcommand, command] : m_commands) {
            if (subcommand->parsed()) return command(resolve_settings(m_parsed.given));
        }
        return static_cast<int>(ExitCode::usage);
    }

private:
    CLI::App* add(const std::string& name, const std::string& description, const std::string& example,
                  Command command) {
        CLI::App* subcommand = m_app.add_subcommand(name, description);
        subcommand->footer("Example:\n  " + example);
        subcommand
            ->add_option("--config", m_parsed.given.config,
                         "Config file (default datachange.toml where it is there)")
            ->type_name("FILE");
        m_commands.emplace_back(subcommand, std::move(command));
        return subcommand;
    }

    void add_target(CLI::App* command) {
        command
            ->add_option("-d,--database", m_parsed.given.database,
                         "Target: postgresql://user@host/name, sqlite:path or a path (default $DATABASE_URL, "
                         "then PG* variables)")
            ->type_name("URL");
        command
            ->add_option(
                "--journal-schema", m_parsed.given.journal_schema,
                "PostgreSQL schema of datachange_runs and datachange_batches (default the current schema)")
            ->type_name("NAME");
    }

    void add_ledger(CLI::App* command) {
        command
            ->add_option("--ledger", m_parsed.given.ledger, "The audit ledger (default datachange-ledger.db)")
            ->type_name("FILE");
    }

    void add_dir(CLI::App* command) {
        command->add_option("--dir", m_parsed.given.dir, "Folder of the definitions (default audits)")
            ->type_name("DIR");
    }

    void add_csv_dir(CLI::App* command) {
        command
            ->add_option("--csv-dir", m_parsed.given.csv_dir, "Folder of the CSV files (default audit-csv)")
            ->type_name("DIR");
    }

    void add_json(CLI::App* command) {
        command->add_flag("--json", m_parsed.output.json, "Print JSON instead of text");
    }

    void add_batching(CLI::App* command) {
        command
            ->add_option("--batch-size", m_parsed.given.batch_size,
                         "Rows in a batch (default the definition's; else 5000 at first, then it adapts)")
            ->check(CLI::PositiveNumber)
            ->type_name("ROWS");
        command
            ->add_option("--batch-threshold", m_parsed.given.batch_threshold,
                         "A larger set is run in batches (default 10000)")
            ->check(CLI::NonNegativeNumber)
            ->type_name("ROWS");
    }

    void add_new() {
        CLI::App* command = add(
            "new", "Write a definition from a template", "datachange new backfill_user_names --table users",
            [this](const Settings& s) { return command_new(s, m_parsed.new_options, m_parsed.output); });
        command->add_option("name", m_parsed.new_options.name, "What it changes, in a few words")->required();
        command->add_option("--table", m_parsed.new_options.table, "The table that is changed");
        command->add_option("--identifier", m_parsed.new_options.identifier, "Its key column (default id)");
        command->add_option("--ticket", m_parsed.new_options.ticket, "The ticket that asks for it");
        add_dir(command);
        add_json(command);
    }

    void add_init() {
        CLI::App* command =
            add("init", "Create the journal in the target, or print its SQL for a DBA",
                "datachange init --print-sql --database postgresql://host/shop",
                [this](const Settings& s) { return command_init(s, m_parsed.init, m_parsed.output); });
        command->add_flag("--print-sql", m_parsed.init.print_sql, "Print the statements and change nothing");
        add_target(command);
        add_json(command);
    }

    void add_check() {
        CLI::App* command =
            add("check", "Parse definitions and prepare them on the target, without running them",
                "datachange check 20260301120000 --database sqlite:shop.db",
                [this](const Settings& s) { return command_check(s, m_parsed.check, m_parsed.output); });
        command->add_option("definition", m_parsed.check.definitions,
                            "Version, name or file (default all of the folder)");
        add_target(command);
        add_dir(command);
        add_batching(command);
        add_json(command);
    }

    void add_run() {
        CLI::App* command =
            add("run", "Run one definition and keep the evidence; a run that stopped goes on",
                "datachange run backfill_user_names --database sqlite:shop.db --dry-run",
                [this](const Settings& s) { return command_run(s, m_parsed.run, m_parsed.output); });
        RunOptions& run = m_parsed.run.work.run;
        command->add_option("definition", m_parsed.run.definition, "Version, name or file")->required();
        command->add_flag("--dry-run", run.dry_run, "Do everything, write the CSVs, then roll back");
        command->add_flag("--single-transaction", run.single_transaction,
                          "One transaction, however large the set");
        command->add_flag("--again", run.again, "Run a version that has run already");
        add_work(command, m_parsed.run.work);
    }

    void add_resume() {
        CLI::App* command =
            add("resume", "Go on with a run that stopped, was killed, or is paused", "datachange resume 3",
                [this](const Settings& s) { return command_resume(s, m_parsed.resume, m_parsed.output); });
        add_run_name(command, m_parsed.resume.run);
        command->add_flag("--take-over", m_parsed.resume.take_over,
                          "Although somebody seems to be working on it");
        command->add_flag("--restored", m_parsed.resume.restored,
                          "Although the target does not know the run: it was restored to a state before it");
        add_work(command, m_parsed.resume.work);
    }

    void add_retry() {
        CLI::App* command = add("retry", "Try only the rows of a run again that failed", "datachange retry 3",
                                [this](const Settings& s) {
                                    m_parsed.resume.failed_rows = true;
                                    return command_resume(s, m_parsed.resume, m_parsed.output);
                                });
        add_run_name(command, m_parsed.resume.run);
        add_work(command, m_parsed.resume.work);
    }

    CLI::App* add_request(const std::string& name, const std::string& description,
                          const std::string& example) {
        CLI::App* command = add(name, description, example, [this, name](const Settings& s) {
            m_parsed.request.request = name;
            return command_request(s, m_parsed.request, m_parsed.output);
        });
        add_run_name(command, m_parsed.request.run);
        add_target(command);
        add_ledger(command);
        add_operator(command);
        add_json(command);
        return command;
    }

    void add_cancel() {
        CLI::App* command =
            add_request("cancel", "End a run for good after the batch in hand; what it has done stays",
                        "datachange cancel 3");
        add_dir(command);
        add_csv_dir(command);
    }

    void add_throttle() {
        CLI::App* command = add_request("throttle", "Change the speed of a run while it goes on",
                                        "datachange throttle 3 --max-rows-per-second 500");
        command
            ->add_option("--max-rows-per-second", m_parsed.request.max_rows_per_second,
                         "Rows a second, on average; 0: no limit")
            ->required()
            ->check(CLI::NonNegativeNumber)
            ->type_name("ROWS");
    }

    static void add_run_name(CLI::App* command, std::string& run) {
        command
            ->add_option("run", run, "Number in the ledger, a UUID's beginning, or a version: its newest run")
            ->required();
    }

    void add_operator(CLI::App* command) {
        command->add_option("--operator", m_parsed.given.operator_name, "Who runs it (default the user)")
            ->type_name("NAME");
    }

    /// What every command takes that changes rows.
    void add_work(CLI::App* command, WorkOptions& work) {
        add_batching(command);
        add_target(command);
        add_dir(command);
        add_ledger(command);
        add_csv_dir(command);
        add_operator(command);
        add_failure_options(command, work);
        add_pace_options(command, work.run);
        command->add_option("--progress", m_parsed.output.progress, "auto, bar, lines, json or none")
            ->check(CLI::IsMember({"auto", "bar", "lines", "json", "none"}))
            ->type_name("STYLE");
        command->add_flag("-q,--quiet", m_parsed.output.quiet, "No progress, no warnings; errors only");
        command->add_flag("--timings", work.run.timings, "Tell what the time was spent on");
        add_json(command);
    }

    void add_status() {
        CLI::App* command =
            add("status", "Every definition and what has become of it on the target",
                "datachange status --database sqlite:shop.db --exit-code",
                [this](const Settings& s) { return command_status(s, m_parsed.status, m_parsed.output); });
        command->add_flag("--exit-code", m_parsed.status.exit_code, "Exit with 3 if something is pending");
        add_target(command);
        add_dir(command);
        add_ledger(command);
        add_json(command);
    }

    void add_runs() {
        CLI::App* command =
            add("runs", "The runs in the ledger, newest first", "datachange runs --limit 5",
                [this](const Settings& s) { return command_runs(s, m_parsed.runs, m_parsed.output); });
        command->add_option("--limit", m_parsed.runs.limit, "At most so many (default 50; 0: all)")
            ->check(CLI::NonNegativeNumber);
        command->add_option("--version", m_parsed.runs.version, "Only of this version");
        add_ledger(command);
        add_json(command);
    }

    void add_show() {
        CLI::App* command =
            add("show", "Everything that the ledger knows of one run", "datachange show 3",
                [this](const Settings& s) { return command_show(s, m_parsed.shown_run, m_parsed.output); });
        command->add_option("run", m_parsed.shown_run, "Number in the ledger, or a UUID's beginning")
            ->required();
        add_ledger(command);
        add_json(command);
    }

    void add_history() {
        CLI::App* command =
            add("history", "What happened to one row, over all runs",
                "datachange history --table orders --identifier 42",
                [this](const Settings& s) { return command_history(s, m_parsed.history, m_parsed.output); });
        command->add_option("--table", m_parsed.history.table, "Table as in the definition (default any)");
        command
            ->add_option("--identifier", m_parsed.history.identifier,
                         "The key's text; for several columns a JSON array: '[\"7\",\"3\"]'")
            ->required();
        add_ledger(command);
        add_json(command);
    }

    /// Help and version go to stdout. @throws Error (usage) for everything else.
    int report(const CLI::ParseError& error, int argc, char** argv) {
        if (error.get_exit_code() == 0) return m_app.exit(error);
        const bool unknown = m_app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-';
        const std::string near = near_option(argc, argv);
        throw Error(
            ExitCode::usage, unknown ? "no such command: " + std::string{argv[1]} : error.what(),
            fmt::format("{}see {} --help", near.empty() ? "" : "did you mean " + near + "? ", help_name()));
    }

    std::string help_name() const {
        const auto chosen = m_app.get_subcommands();
        return chosen.empty() ? "datachange" : "datachange " + chosen.front()->get_name();
    }

    /// For a mistyped command or flag, the one that was most likely meant.
    std::string near_option(int argc, char** argv) const {
        const auto chosen = m_app.get_subcommands();
        std::vector<std::string> known;
        if (chosen.empty()) {
            for (const auto& [subcommand, command] : m_commands) known.push_back(subcommand->get_name());
            return argc > 1 ? closest(argv[1], known) : "";
        }
        for (const CLI::Option* option : chosen.front()->get_options()) {
            for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
        }
        for (int i = 2; i < argc; ++i) {
            const std::string word = std::string{argv[i]}.substr(0, std::string_view{argv[i]}.find('='));
            const bool flag = word.starts_with("--");
            if (flag && std::find(known.begin(), known.end(), word) == known.end())
                return closest(word, known);
        }
        return {};
    }

    CLI::App m_app{"Runs audited data migrations on PostgreSQL and SQLite, and keeps the evidence.",
                   "datachange"};
    Parsed m_parsed;
    std::vector<std::pair<CLI::App*, Command>> m_commands;
};

bool asks_for_json(int argc, char** argv) {
    return std::any_of(argv, argv + argc,
                       [](const char* word) { return std::string_view{word} == "--json"; });
}

/// What a server said in several lines: the SQLSTATE behind the first, its HINT among the hints.
Error readable(const DatabaseError& error) {
    std::vector<std::string> lines = split(error.what(), '\n');
    if (!error.sqlstate().empty()) lines.front() += fmt::format(" ({})", error.sqlstate());
    std::vector<std::string> message;
    std::vector<std::string> hints;
    for (const std::string& line : lines) {
        if (line.starts_with("HINT:")) {
            hints.emplace_back(trim(std::string_view{line}.substr(5)));
        } else {
            message.push_back(line);
        }
    }
    if (!error.hint().empty()) hints.push_back(error.hint());
    Error plain(error.code(), join(message, "\n"), join(hints, " "));
    return plain.at(error.where());
}

void print_error(const Error& error, bool json) {
    if (!json) {
        fmt::print(stderr, "{}\n", error.text());
        return;
    }
    JsonObject object;
    object.add("error", error.what()).add_or_null("where", error.where()).add_or_null("hint", error.hint());
    object.add("exit_status", static_cast<int>(error.code()));
    fmt::print(stderr, "{}\n", object.text());
}

}  // namespace

int run_command_line(int argc, char** argv) {
    try {
        return CommandLine{}.run(argc, argv);
    } catch (const DatabaseError& error) {
        print_error(readable(error), asks_for_json(argc, argv));
        return static_cast<int>(error.code());
    } catch (const Error& error) {
        print_error(error, asks_for_json(argc, argv));
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        print_error(Error(ExitCode::failed, error.what()), asks_for_json(argc, argv));
        return static_cast<int>(ExitCode::failed);
    }
}

}  // namespace datachange
