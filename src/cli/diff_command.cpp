#include <memory>
#include <stdexcept>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/result_output.hpp"
#include "record/ledger/ledger.hpp"
#include "report/diff.hpp"

namespace datachange {

namespace {

struct Options {
    std::string run;
    DiffFilter filter;
    ShowOptions show;
};

/// By number, UUID, or version: its newest run.
LedgerRun find_run(const LedgerReader& ledger, const std::string& which) {
    if (const auto newest = ledger.last_run_of(which)) return *newest;
    return ledger.run(which);
}

int show_diff(const Settings& settings, const Options& options, const OutputOptions& output) {
    const LedgerReader ledger(settings.ledger);
    const LedgerRun run = find_run(ledger, options.run);
    return show_results(options.show, [&](ResultOutput& out) {
        try {
            if (output.json) {
                write_diff_json(ledger, run, options.filter,
                                [&](std::string_view text) { out.write_data(text); });
            } else {
                write_diff_text(ledger, run, options.filter, {out.color(), options.show.full},
                                [&](std::string_view text) { out.write(text); });
            }
        } catch (const SQLite::Exception& failure) {
            throw ledger_failure(settings.ledger, failure);
        } catch (const std::invalid_argument&) {
            throw Error(ExitCode::mismatch,
                        fmt::format("rows of run {} in the ledger cannot be read", run.run),
                        "They are not as they were written.");
        }
    });
}

void add_filter(CLI::App* command, DiffFilter& filter) {
    command->add_option("--table", filter.table, "Only changes of this table")->type_name("NAME");
    command->add_option("--step", filter.step, "Only this step, by number or name")->type_name("STEP");
    command
        ->add_option("--column", filter.columns,
                     "Only rows in which it changed, and only it; may be repeated")
        ->type_name("NAME");
    command
        ->add_option(
            "--action", filter.actions,
            "updated, inserted, deleted (these three by default), missing or unchanged; may be repeated")
        ->check(CLI::IsMember({"updated", "inserted", "deleted", "missing", "unchanged"}))
        ->type_name("ACTION");
    command
        ->add_option("--identifier", filter.identifier,
                     "Only this row: the key's text; for several columns a JSON array: '[\"7\",\"3\"]'")
        ->type_name("KEY");
    command
        ->add_option("--from", filter.from,
                     "From this identifier on: by number where both are numbers, else by bytes")
        ->type_name("KEY");
    command->add_option("--to", filter.to, "Up to this identifier")->type_name("KEY");
    command->add_option("--limit", filter.limit, "At most so many rows; 0: all (default)")->type_name("ROWS");
}

}  // namespace

void add_diff(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add("diff", "The rows that a run changed, from what to what",
                                 "datachange diff 3 --column name --from 100 --to 200",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return show_diff(settings, *options, output);
                                 });
    CommandTree::add_run_name(command, options->run);
    add_filter(command, options->filter);
    add_show_options(command, options->show);
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace datachange
