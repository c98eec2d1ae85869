#include <filesystem>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cli/chosen_run.hpp"
#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/signals.hpp"
#include "cli/work_options.hpp"
#include "core/text.hpp"
#include "record/ledger/ledger_reader.hpp"

namespace datachange {

namespace {

struct UndoCommandOptions {
    UndoOptions undo;
    std::string on_conflict = "stop";
    WorkOptions work;
};

OnConflict on_conflict_of(const std::string& name) {
    for (const OnConflict one : {OnConflict::skip, OnConflict::force}) {
        if (name == on_conflict_name(one)) return one;
    }
    return OnConflict::stop;
}

int undo(const Settings& settings, const UndoCommandOptions& options, const OutputOptions& output) {
    settings.require_database();
    UndoOptions undo = options.undo;
    const ChosenRun chosen = choose_run(
        settings, *connect_target(settings.database, settings.engine(), settings.journal_schema), undo.run);
    if (chosen.version == undo.run && chosen.journal && chosen.journal->name.starts_with("undo_of_")) {
        throw Error(ExitCode::usage,
                    fmt::format("the newest run of version {} is an undo itself: run {}", chosen.version,
                                chosen.uuid.substr(0, 8)),
                    "Name the run that is meant, by its number in the ledger or its UUID.");
    }
    undo.run = chosen.uuid;
    undo.on_conflict = on_conflict_of(options.on_conflict);
    StopRequest stop;
    const SignalWatch signals(stop);
    const auto listener = listener_for(output);
    print_result(
        execute_undo(undo_work_options(settings, options.work), undo, settings.engine(), *listener, &stop),
        output);
    return 0;
}

}  // namespace

RunOptions undo_work_options(const Settings& settings, const WorkOptions& work) {
    return run_options(settings, "", work);
}

std::optional<UndoOptions> undo_options(const Settings& settings, const std::string& uuid) {
    if (!std::filesystem::exists(settings.ledger)) return std::nullopt;
    const LedgerReader ledger(settings.ledger);
    for (const LedgerRun& run : ledger.runs()) {
        if (run.uuid != uuid || run.reverses.empty()) continue;
        UndoOptions undo;
        undo.run = run.reverses;
        undo.ticket = run.ticket;
        for (const LedgerEvent& event : ledger.events(run.run)) {
            if (event.kind != "undo") continue;
            const std::vector<std::string> words = split(event.detail, ' ');
            undo.on_conflict = on_conflict_of(words.size() > 1 ? words[1].substr(0, words[1].find(',')) : "");
            undo.partial = event.detail.find("partial") != std::string::npos;
            undo.from_ledger = event.detail.find("from-ledger") != std::string::npos;
        }
        return undo;
    }
    return std::nullopt;
}

void add_undo(CommandTree& tree) {
    const auto options = std::make_shared<UndoCommandOptions>();
    CLI::App* command =
        tree.add("undo", "Take a run back: each row gets the values again that the ledger has of before it",
                 "datachange undo 3 --ticket OPS-1240 --dry-run",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return undo(settings, *options, output);
                 });
    CommandTree::add_run_name(command, options->undo.run);
    command
        ->add_option(
            "--on-conflict", options->on_conflict,
            "A row that is not any more what the run left: stop (default), skip it, or force the old "
            "values over it")
        ->check(CLI::IsMember({"stop", "skip", "force"}))
        ->type_name("WHAT");
    command->add_flag("--partial", options->undo.partial,
                      "Although triggers or cascades changed rows that the ledger has no images of");
    command->add_flag("--from-ledger", options->undo.from_ledger,
                      "From the images, although the definition has a section `undo`");
    command->add_option("--ticket", options->undo.ticket, "The ticket of the undo itself")->type_name("TEXT");
    command->add_flag("--dry-run", options->work.run.dry_run,
                      "Do everything, write the CSVs, then roll back");
    command->add_flag("--single-transaction", options->work.run.single_transaction,
                      "One transaction, however many rows");
    tree.add_work(command, options->work);
}

}  // namespace datachange
