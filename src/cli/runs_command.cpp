#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

namespace {

struct Options {
    std::uint64_t limit = 50;
    std::string version;
};

int list_runs(const Settings& settings, const Options& options, const OutputOptions& output) {
    const std::vector<LedgerRun> runs = LedgerReader(settings.ledger).runs(options.version, options.limit);
    fmt::print("{}", output.json ? runs_json(runs) : runs_text(runs));
    return 0;
}

}  // namespace

void add_runs(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add("runs", "The runs in the ledger, newest first", "datachange runs --limit 5",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return list_runs(settings, *options, output);
                                 });
    command->add_option("--limit", options->limit, "At most so many (default 50; 0: all)")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--version", options->version, "Only of this version");
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace datachange
