#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/settings.hpp"

namespace datachange {

/// How results are printed.
struct OutputOptions {
    bool json = false;
    bool quiet = false;
    std::string progress = "auto";  ///< auto | bar | lines | json | none
};

struct NewOptions {
    std::string name, table, identifier, ticket;
};

struct InitOptions {
    bool print_sql = false;
};

struct CheckOptions {
    std::vector<std::string> definitions;  ///< empty: all of the folder
};

/// The settings as options of a run. @param path of the definition; @param given what they are put into
RunOptions run_options(const Settings& settings, const std::string& path, RunOptions given = {});

/// What `run`, `resume` and `retry` have in common.
struct WorkOptions {
    RunOptions run;        ///< what the command line says of how to run; the settings are put in later
    std::string on_error;  ///< stop | skip; "": as the definition says
};

struct RunCommandOptions {
    std::string definition;
    WorkOptions work;
};

struct ResumeCommandOptions {
    std::string run;
    bool take_over = false;
    bool failed_rows = false;  ///< the command is `retry`
    bool restored = false;
    WorkOptions work;
};

struct RequestCommandOptions {
    std::string run;
    std::string request;                    ///< pause | cancel | throttle
    std::uint64_t max_rows_per_second = 0;  ///< 0: no limit
};

struct StatusOptions {
    bool exit_code = false;
};

struct RunsOptions {
    std::uint64_t limit = 50;
    std::string version;
};

struct HistoryOptions {
    std::string table, identifier;
};

// Each command prints its result to stdout and gives the exit status. Errors are thrown.
int command_new(const Settings& settings, const NewOptions& options, const OutputOptions& output);
int command_init(const Settings& settings, const InitOptions& options, const OutputOptions& output);
int command_check(const Settings& settings, const CheckOptions& options, const OutputOptions& output);
int command_run(const Settings& settings, const RunCommandOptions& options, const OutputOptions& output);
int command_resume(const Settings& settings, const ResumeCommandOptions& options,
                   const OutputOptions& output);
int command_request(const Settings& settings, const RequestCommandOptions& options,
                    const OutputOptions& output);
int command_status(const Settings& settings, const StatusOptions& options, const OutputOptions& output);
int command_runs(const Settings& settings, const RunsOptions& options, const OutputOptions& output);
int command_show(const Settings& settings, const std::string& run, const OutputOptions& output);
int command_history(const Settings& settings, const HistoryOptions& options, const OutputOptions& output);

}  // namespace datachange
