#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/signals.hpp"
#include "cli/work_options.hpp"
#include "cli/work_queue.hpp"
#include "migrate/examination.hpp"
#include "run/runner.hpp"

namespace datachange {

namespace {

constexpr const char* session = "datachange:queue";  // of what a worker asks besides its runs

struct Options {
    WorkerOptions worker;
    WorkOptions work;
};

/// Runs one item with the concrete parts put together.
void execute_item(const Settings& settings, const Options& options, const OutputOptions& output,
                  const std::string& path, const std::string& resume,
                  const std::function<void(Target&, const std::string&, const std::string&)>& entered,
                  StopRequest& stop) {
    const RunOptions run = run_options(settings, path, options.work);
    const Supervision supervision{[&entered](Target& target, const RunHeader& header) {
                                      entered(target, header.uuid, header.definition_sha256);
                                  },
                                  queue_role};
    const auto listener = listener_for(output);
    ResumeOptions how;
    how.run = resume;
    how.take_over = true;
    const RunResult result =
        resume.empty() ? execute_run(run, settings.engine(), *listener, &stop, &supervision)
                       : execute_resume(run, how, settings.engine(), *listener, &stop, &supervision);
    print_result(result, output);
    std::fflush(stdout);
}

}  // namespace

int work_on_target(const Settings& settings, const WorkerOptions& worker, const WorkOptions& work,
                   const OutputOptions& output, StopRequest& stop) {
    settings.require_database();
    const Options options{worker, work};
    const std::string who = settings.target.empty() ? "" : settings.target + ": ";
    const WorkerParts parts{
        [&settings] {
            return connect_target(settings.database, settings.engine(), settings.journal_schema, session);
        },
        [&](const std::string& path, const std::string& resume, const auto& entered, StopRequest& run) {
            execute_item(settings, options, output, path, resume, entered, run);
        },
        [&](const std::string& text) {
            if (!output.quiet) fmt::print(stderr, "{}{}\n", who, text);
        },
        settings.dir,
        settings.group,
        stop,
    };
    return work_on_queue(worker, parts) == WorkEnd::interrupted ? static_cast<int>(ExitCode::pending) : 0;
}

void add_work(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        tree.add("work", "Run what is in the queue, one after another, until asked to stop",
                 "datachange work --database sqlite:shop.db",
                 [options](const Settings& settings, const OutputOptions& output) {
                     StopRequest stop;
                     const SignalWatch signals(stop);
                     return work_on_target(settings, options->worker, options->work, output, stop);
                 });
    WorkerOptions& worker = options->worker;
    const std::string group = "The queue";
    command
        ->add_flag("--once", worker.once,
                   "End when the queue is empty; with 3 where what has failed blocks it")
        ->group(group);
    add_duration(command, "--poll-interval", worker.poll_interval, "How often it looks for work (default 2s)")
        ->group(group);
    command
        ->add_option("--max-attempts", worker.max_attempts, "Attempts before an item has failed (default 3)")
        ->check(CLI::Range(1, 1000))
        ->type_name("TIMES")
        ->group(group);
    add_duration(command, "--retry-delay", worker.retry_delay,
                 "Before the second attempt; doubled for each further one, at most 10min (default 10s)")
        ->group(group);
    add_duration_option(
        command, "--worker-timeout",
        [&worker](std::chrono::milliseconds given) {
            if (given < std::chrono::seconds{1}) {
                throw CLI::ValidationError(
                    "--worker-timeout",
                    "a worker cannot be heard more often than every second; give 1s or more");
            }
            worker.worker_timeout = given;
        },
        "Not heard for so long, this worker counts as dead, and another goes on (default 60s)")
        ->group(group);
    tree.add_work(command, options->work);
}

}  // namespace datachange
