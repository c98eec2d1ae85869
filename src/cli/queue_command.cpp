#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/queue_output.hpp"
#include "cli/queue_watch.hpp"
#include "core/clock.hpp"
#include "definition/definition.hpp"
#include "migrate/worker.hpp"

namespace datachange {

namespace {

struct Options {
    bool all = false;
    bool watch = false;
    std::string retry, remove;  ///< versions; "": nothing is asked for
};

/// The open item of a version. @throws Error (usage) if there is none
QueueItem open_item(const Queue& queue, const std::string& version) {
    for (const QueueItem& item : queue.items(false)) {
        if (item.version == version || item.name == version) return item;
    }
    throw Error(ExitCode::usage, fmt::format("{} does not stand in the queue", version),
                "`datachange queue --all` shows what stood there as well. Nothing was changed.");
}

Error changed_meanwhile(const QueueItem& item) {
    return {ExitCode::failed,
            fmt::format("version {} is not in the queue any more as it was just now", item.version),
            "Look at `datachange queue`, then try again. Nothing was changed."};
}

/// SHA-256 of the definition as it stands here now, which parses.
std::string definition_now(const Settings& settings, const QueueItem& item) {
    return read_definition(find_definition(settings.dir, item.version), settings.engine()).sha256;
}

void retry(const Settings& settings, Queue& queue, const std::string& version) {
    const QueueItem item = open_item(queue, version);
    if (item.state != "failed" && item.state != "pending") {
        throw Error(ExitCode::failed,
                    fmt::format("version {} is {}: there is nothing to try again", item.version, item.state),
                    "Nothing was changed.");
    }
    if (!queue.retry(item, definition_now(settings, item))) throw changed_meanwhile(item);
}

void remove(Queue& queue, const std::string& version) {
    const QueueItem item = open_item(queue, version);
    if (item.state == "processing" && !worker_gone(item)) {
        throw Error(
            ExitCode::pending, fmt::format("version {} is being worked on by {}", item.version, item.worker),
            fmt::format(
                "`datachange cancel {}` ends its run after the batch in hand; it has failed then, and can "
                "be removed. Nothing was changed.",
                item.version));
    }
    if (!queue.remove(item)) throw changed_meanwhile(item);
}

/// Asks for what is to be changed; then what stands there is shown.
void change(const Settings& settings, const Options& options, Target& target) {
    if (options.retry.empty() && options.remove.empty()) return;
    target.require_writable();
    Queue queue(target);
    if (!options.retry.empty()) retry(settings, queue, options.retry);
    if (!options.remove.empty()) remove(queue, options.remove);
}

std::string watched(const Settings& settings, const Options& options, std::unique_ptr<Target>& target) {
    try {
        if (!target) target = connect_target(settings.database, settings.engine(), settings.journal_schema);
        return fmt::format("{}  {}  (q ends)\n\n{}", target->name(), utc_now(),
                           queue_text(Queue(*target).items(options.all)));
    } catch (const Error& error) {
        target.reset();  // it may come back
        return fmt::format("{}  (q ends)\n\n{}\n", utc_now(), error.text());
    }
}

int show_queue(const Settings& settings, const Options& options, const OutputOptions& output) {
    settings.require_database();
    auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    change(settings, options, *target);
    if (options.watch) {
        watch_on_terminal([&](std::size_t) { return watched(settings, options, target); });
        return 0;
    }
    const std::vector<QueueItem> items = Queue(*target).items(options.all);
    fmt::print("{}", output.json ? queue_json(target->name(), items)
                                 : fmt::format("target: {}\n\n{}", target->name(), queue_text(items)));
    return 0;
}

}  // namespace

void add_queue(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add("queue", "What stands in the queue, and what has become of it",
                                 "datachange queue --database sqlite:shop.db --watch",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return show_queue(settings, *options, output);
                                 });
    command->add_flag("--all", options->all, "What is done or was removed as well");
    CLI::Option* const watch =
        command->add_flag("--watch", options->watch, "Show it on the terminal until q or Ctrl-C");
    CLI::Option* const retry =
        command
            ->add_option(
                "--retry", options->retry,
                "Have a version tried again that has failed or waits, with the definition as it is now")
            ->type_name("VERSION");
    command->add_option("--remove", options->remove, "Take a version out of the queue; it stays as history")
        ->type_name("VERSION")
        ->excludes(retry);
    tree.add_target(command);
    tree.add_dir(command);
    tree.add_json(command);
    watch->excludes(command->get_option("--json"));
}

}  // namespace datachange
