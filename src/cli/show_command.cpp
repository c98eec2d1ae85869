#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

namespace {

int show(const Settings& settings, const std::string& run, const OutputOptions& output) {
    const LedgerReader ledger(settings.ledger);
    const LedgerRun found = ledger.run(run);
    fmt::print("{}", output.json ? show_json(ledger, found) : show_text(ledger, found));
    return 0;
}

}  // namespace

void add_show(CommandTree& tree) {
    const auto run = std::make_shared<std::string>();
    CLI::App* command = tree.add("show", "Everything that the ledger knows of one run", "datachange show 3",
                                 [run](const Settings& settings, const OutputOptions& output) {
                                     return show(settings, *run, output);
                                 });
    command->add_option("run", *run, "Number in the ledger, or a UUID's beginning")->required();
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace datachange
