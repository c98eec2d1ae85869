#include "cli/command_line.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/completion.hpp"
#include "cli/readable_error.hpp"
#include "report/json.hpp"

namespace datachange {

namespace {

bool asks_for_json(int argc, char** argv) {
    return std::any_of(argv, argv + argc,
                       [](const char* word) { return std::string_view{word} == "--json"; });
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

/// In the order in which --help shows them.
constexpr auto commands = {
    add_new,
    add_init,
    add_check,
    add_run,
    add_migrate,
    add_resume,
    add_retry,
    add_enqueue,
    add_work,
    add_queue,
    add_approve,
    add_undo,
    add_pause,
    add_cancel,
    add_throttle,
    add_status,
    add_abort_if_pending,
    add_mark,
    add_adopt,
    add_runs,
    add_show,
    add_history,
    add_diff,
    add_query,
    add_export,
    add_verify,
    add_ledger,
    add_completion,
    add_share_files,
};

}  // namespace

int run_command_line(int argc, char** argv) {
    try {
        CommandTree tree;
        for (const auto add : commands) add(tree);
        if (argc > 1 && std::string_view{argv[1]} == completion_request) {
            fmt::print("{}", completions(command_text(tree.app()), {argv + 2, argv + argc}));
            return 0;
        }
        return tree.run(argc, argv);
    } catch (...) {
        const Error error = readable_error(std::current_exception());
        print_error(error, asks_for_json(argc, argv));
        return static_cast<int>(error.code());
    }
}

}  // namespace datachange
