#pragma once

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace datachange {

struct ExitStatus {
    int number;
    const char* meaning;
};
inline constexpr std::array exit_statuses{
    ExitStatus{0, "done"},
    ExitStatus{1, "failed and nothing was changed"},
    ExitStatus{2, "wrong usage"},
    ExitStatus{3, "pending or halted"},
    ExitStatus{4, "the evidence does not match"},
    ExitStatus{5, "target or ledger cannot be reached"},
    ExitStatus{6, "failed after some batches were committed"},
};

/// The commands with their options; one of them is chosen and run.
class CommandTree {
public:
    /// Prints its result to stdout and gives the exit status; errors are thrown.
    using Command = std::function<int(const Settings&, const OutputOptions&)>;

    /// One that needs no settings, and none of the files that they come from.
    using PlainCommand = std::function<int()>;

    CommandTree();

    /// @param name of two words, "ledger merge", for one that stands in a group, which is to be there
    CLI::App* add(const std::string& name, const std::string& description, const std::string& example,
                  Command command);
    CLI::App* add_without_settings(const std::string& name, const std::string& description,
                                   const std::string& example, PlainCommand command);
    /// A command that only has others beneath it.
    void add_group(const std::string& name, const std::string& description);

    // Options that several commands have.
    void add_database(CLI::App* command);
    void add_target(CLI::App* command);
    /// In place of add_target: the command works on several targets, where Settings::several_targets().
    void add_targets(CLI::App* command);
    void add_fail_fast(CLI::App* command);
    void add_ledger(CLI::App* command);
    void add_dir(CLI::App* command);
    void add_schema_dir(CLI::App* command);
    void add_csv_dir(CLI::App* command);
    void add_operator(CLI::App* command);
    void add_batching(CLI::App* command);
    void add_progress(CLI::App* command);
    void add_json(CLI::App* command);
    static void add_run_name(CLI::App* command, std::string& run);
    /// What every command takes that changes rows.
    void add_work(CLI::App* command, WorkOptions& work);
    /// The same for one that works on several targets.
    void add_work_on_targets(CLI::App* command, WorkOptions& work);

    /// @throws Error
    int run(int argc, char** argv);

    const CLI::App& app() const { return m_app; }

private:
    void add_work_besides_target(CLI::App* command, WorkOptions& work);
    int report(const CLI::ParseError& error, int argc, char** argv);
    std::string help_name() const;
    std::string near_option(int argc, char** argv) const;

    CLI::App m_app;
    GivenSettings m_given;
    OutputOptions m_output;
    std::vector<std::pair<CLI::App*, PlainCommand>> m_commands;
};

}  // namespace datachange
