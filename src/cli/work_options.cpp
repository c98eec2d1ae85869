#include "cli/work_options.hpp"

#include <fmt/format.h>

#include "core/duration.hpp"

namespace datachange {

CLI::Option* add_duration_option(CLI::App* command, const std::string& name,
                                 std::function<void(std::chrono::milliseconds)> take,
                                 const std::string& description) {
    const auto read = [name, take = std::move(take)](const std::string& text) {
        const auto duration = parse_duration(text);
        if (!duration) {
            throw CLI::ValidationError(
                name, fmt::format("{} is no duration; give one such as 500ms, 5s or 2min", text));
        }
        take(*duration);
    };
    return command->add_option_function<std::string>(name, read, description)->type_name("TIME");
}

RunOptions run_options(const Settings& settings, const std::string& path, const WorkOptions& work) {
    RunOptions run = run_options(settings, path, work.run);
    if (!work.on_error.empty()) run.skip_failures = work.on_error == "skip";
    return run;
}

void add_failure_options(CLI::App* command, WorkOptions& work) {
    const std::string group = "What goes wrong";
    RunOptions& run = work.run;
    command
        ->add_option(
            "--on-error", work.on_error,
            "A row that cannot be changed: stop there, or skip it (default the definition's, then stop)")
        ->check(CLI::IsMember({"stop", "skip"}))
        ->type_name("WHAT")
        ->group(group);
    command
        ->add_option("--max-failures", run.max_failures,
                     "Rows that may fail before the run stops (default 1000)")
        ->check(CLI::PositiveNumber)
        ->type_name("ROWS")
        ->group(group);
    command
        ->add_flag(
            "--strict", run.strict,
            "Roll back a batch whose triggers or cascades change tables that `collateral:` does not name")
        ->group(group);
    command
        ->add_option("--retries", run.retries,
                     "Tries again after conflicts, locks and lost connections (default 5)")
        ->check(CLI::Range(0, 1000))
        ->type_name("TIMES")
        ->group(group);
    add_duration(command, "--lock-timeout", run.lock_timeout,
                 "How long a statement waits for a lock (default 5s)")
        ->group(group);
    add_duration(command, "--statement-timeout", run.statement_timeout,
                 "How long a statement may take (default the session's)")
        ->group(group);
}

void add_pace_options(CLI::App* command, RunOptions& run) {
    PaceOptions& pace = run.pace;
    const std::string group = "How fast it goes (batches only)";
    const auto rows = [&](const char* name, std::uint64_t& value, const char* description) {
        command->add_option(name, value, description)
            ->check(CLI::PositiveNumber)
            ->type_name("ROWS")
            ->group(group);
    };
    add_duration(command, "--target-batch-time", pace.target_batch_time,
                 "The batch size follows this duration (default 1s where no size is given)")
        ->group(group);
    command
        ->add_option("--workers", run.workers,
                     "Batches done beside each other, each in a session of its own (default 2 on PostgreSQL; "
                     "1 on SQLite)")
        ->check(CLI::Range(1, 64))
        ->type_name("NUMBER")
        ->group(group);
    rows("--min-batch-size", pace.min_batch_size, "It goes no lower than this (default 100)");
    rows("--max-batch-size", pace.max_batch_size, "It goes no higher than this (default 10000)");
    rows("--max-rows-per-second", pace.max_rows_per_second, "Rows a second, on average");
    add_duration(command, "--sleep", pace.sleep, "Between batches")->group(group);
    add_duration(command, "--max-lag", pace.max_lag, "Wait while a replica lags more than this (PostgreSQL)")
        ->group(group);
    command->add_option("--throttle-flag-file", pace.throttle_flag_file, "Wait while this file is there")
        ->type_name("FILE")
        ->group(group);
    command->add_option("--throttle-query", pace.throttle_query, "Wait while this query returns more than 0")
        ->type_name("SQL")
        ->group(group);
}

}  // namespace datachange
