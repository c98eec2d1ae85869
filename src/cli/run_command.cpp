#include <atomic>
#include <csignal>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/compose.hpp"
#include "cli/terminal.hpp"
#include "definition/definition.hpp"
#include "report/progress.hpp"
#include "report/run_report.hpp"

namespace datachange {

namespace {

std::atomic<bool> stop_requested{false};

/// The first Ctrl-C lets the batch in hand end; the second has its usual effect, and the server rolls the
/// batch back.
void request_stop(int signal) {
    stop_requested = true;
    std::signal(signal, SIG_DFL);
}

ProgressStyle progress_style(const OutputOptions& output) {
    if (output.progress == "none") return ProgressStyle::none;
    if (output.progress == "json") return ProgressStyle::json;
    if (output.progress == "bar") return ProgressStyle::bar;
    if (output.progress == "lines") return ProgressStyle::lines;
    return is_terminal(STDERR_FILENO) ? ProgressStyle::bar : ProgressStyle::lines;
}

void write_stderr(const std::string& text) {
    // one write a piece, so that lines of two processes on one terminal do not mix
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // decoration: nothing depends on it
}

}  // namespace

int command_run(const Settings& settings, const RunCommandOptions& options, const OutputOptions& output) {
    settings.require_database();
    RunOptions run;
    run.database = settings.database;
    run.definition = find_definition(settings.dir, options.definition).path;
    run.ledger = settings.ledger;
    run.csv_dir = settings.csv_dir;
    run.journal_schema = settings.journal_schema;
    run.operator_name = settings.operator_name;
    run.batch_size = settings.batch_size;
    run.batch_threshold = settings.batch_threshold;
    run.single_transaction = options.single_transaction;
    run.dry_run = options.dry_run;
    run.again = options.again;

    std::signal(SIGINT, request_stop);
    std::signal(SIGTERM, request_stop);
    const auto listener = output.quiet ? std::make_unique<Listener>()
                                       : show_progress(progress_style(output), wants_color(STDERR_FILENO),
                                                       write_stderr, terminal_width);
    const RunResult result = execute_run(run, settings.engine(), *listener, &stop_requested);
    fmt::print("{}", output.json ? run_json(result) : run_text(result));
    return 0;
}

}  // namespace datachange
