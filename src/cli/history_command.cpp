#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/result_output.hpp"
#include "core/text.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

namespace {

struct Options {
    std::string table, identifier;
    ShowOptions show;
};

int show_history(const Settings& settings, const Options& options, const OutputOptions& output) {
    const LedgerReader ledger(settings.ledger);
    std::vector<HistoryEntry> entries = ledger.history(options.table, options.identifier);
    if (entries.empty()) entries = ledger.history(options.table, plain_identifier(options.identifier));
    if (const std::uint64_t pruned = ledger.pruned_runs(); pruned > 0) {
        fmt::print(stderr, "note: {} pruned: what they did to the row is not known any more\n",
                   pruned == 1 ? "1 run was" : counted(pruned, "run") + " were");
    }
    return show_results(options.show, [&](ResultOutput& out) {
        if (output.json) return out.write_data(history_json(entries));
        out.write(history_text(entries, {out.color(), options.show.full}));
    });
}

}  // namespace

void add_history(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add("history", "What happened to one row, over all runs",
                                 "datachange history --table orders --identifier 42",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return show_history(settings, *options, output);
                                 });
    command->add_option("--table", options->table, "Table as in the definition (default any)");
    command
        ->add_option("--identifier", options->identifier,
                     "The key's text; for several columns a JSON array: '[\"7\",\"3\"]'")
        ->required();
    add_show_options(command, options->show);
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace datachange
