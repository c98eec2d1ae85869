#include "run/undo_plan.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "capture/compare.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "run/derived_post.hpp"
#include "run/fence.hpp"
#include "run/foreign_keys.hpp"
#include "run/undo_state.hpp"

namespace datachange {

namespace {

/// The journal tells which database a run has changed, and whether somebody has taken it back.
void require_undoable(Target& target, const UndoneRun& undone) {
    const std::vector<JournalRun> runs = Fence(target).runs(undone.version);
    const auto run = std::find_if(runs.begin(), runs.end(),
                                  [&](const JournalRun& other) { return other.uuid == undone.uuid; });
    if (run == runs.end()) {
        throw Error(ExitCode::failed, fmt::format("{} does not know of run {}", target.name(), undone.run),
                    "A run is taken back where it ran: is this the right database? Nothing was changed.");
    }
    if (const JournalRun* by = undone_by(*run, runs)) {
        throw Error(ExitCode::failed,
                    fmt::format("run {} has been undone already: run {} by {}, started {}", undone.run,
                                by->uuid.substr(0, 8), by->operator_name, by->started_at),
                    fmt::format("`datachange undo {}` would take that back. Nothing was changed.",
                                by->uuid.substr(0, 8)));
    }
}

/// The tables that one step of the run changed, in the order in which they are put back.
void add_group(Target& target, const std::vector<const UndoTable*>& group, std::vector<UndoStep>& steps) {
    if (group.size() == 1) {
        steps.push_back({group.front(), UndoKind::all});
        return;
    }
    std::vector<std::string> ids;
    for (const UndoTable* table : group) ids.push_back(target.table(table->table).id);
    const std::vector<std::size_t> order = parents_first(target, ids);
    for (const std::size_t place : order) {
        if (count_of(*group[place], UndoKind::puts) > 0) steps.push_back({group[place], UndoKind::puts});
    }
    for (auto place = order.rbegin(); place != order.rend(); ++place) {
        if (count_of(*group[*place], UndoKind::removals) > 0)
            steps.push_back({group[*place], UndoKind::removals});
    }
}

Definition definition_of(const UndoneRun& undone, Engine engine) {
    return parse_definition({"", undone.version, undone.name}, undone.definition, engine);
}

/// "public"."users" for a table id; a dot within the name of a schema is beyond it.
std::string sql_name(const std::string& id) {
    const std::size_t dot = id.find('.');
    return quote_name(id.substr(0, dot)) + "." + quote_name(id.substr(dot + 1));
}

/// Where the header names no table, it is the one that pre takes the identifier from.
void name_tables(Target& target, UndoSource& source) {
    const std::vector<UndoTable> tables = source.tables();
    for (const UndoTable& table : tables) {
        if (!table.table.empty()) continue;
        const Definition definition = definition_of(source.run(), target.engine());
        const Step& step = definition.steps.at(static_cast<std::size_t>(table.number) - 1);
        const std::vector<Column> pre = target.describe(*step.pre, {});
        const Column& key = pre[identifier_columns(pre, step.identifier, "pre").front()];
        if (key.origin_table.empty()) {
            throw Error(ExitCode::failed,
                        fmt::format("which table step {} of run {} changed cannot be told", table.number,
                                    source.run().run),
                        "Its header names none, and pre computes the identifier. Nothing was changed.");
        }
        source.name_table(table.number, sql_name(key.origin_table));
    }
}

std::vector<UndoStep> steps_of(Target& target, const UndoSource& source) {
    std::vector<UndoStep> steps;
    int last = 0;
    for (const UndoTable& table : source.tables()) last = std::max(last, table.number);
    for (int number = last; number > 0; --number) {
        std::vector<const UndoTable*> group;
        for (const UndoTable& table : source.tables()) {
            if (table.number == number && table.watch_of == 0) group.push_back(&table);
        }
        for (const UndoTable& table : source.tables()) {
            if (table.watch_of == number) group.push_back(&table);
        }
        if (!group.empty() && group.front()->by_hand) {
            steps.push_back({group.front(), UndoKind::all, true});
        } else if (!group.empty()) {
            add_group(target, group, steps);
        }
    }
    return steps;
}

const char* kind_text(UndoKind kind) {
    switch (kind) {
        case UndoKind::all:
            return "all rows";
        case UndoKind::puts:
            return "rows that were updated or deleted";
        case UndoKind::removals:
            return "rows that were inserted";
    }
    return "";
}

/// What stands in the ledger in the place of a definition.
std::string text_of(const UndoneRun& undone, const std::vector<UndoStep>& steps) {
    std::string text = fmt::format(
        "-- Takes back run {} of {} {}: each row gets the values that the run found, from the ledger's "
        "images.\n"
        "-- There is no file of this definition.\n",
        undone.uuid, undone.version, undone.name);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const UndoTable& table = *steps[i].table;
        text += fmt::format("-- step {}: {} of {}, which step {} of the run changed{}\n", i + 1,
                            kind_text(steps[i].kind), table.table, table.number,
                            steps[i].by_hand ? ", by the section `undo` of the definition" : "");
    }
    return text;
}

Step image_step(const UndoStep& undo, int number) {
    Step step;
    step.number = number;
    step.table = undo.table->table;
    step.identifier = undo.table->identifier;
    return step;
}

/// The section `undo` of a step as a step of its own; its set are the rows that the run changed.
Step written_step(Target& target, const Step& of, const std::string& table, int number) {
    Step step;
    step.number = number;
    step.name = of.name;
    step.at = of.at;
    step.table = table;
    step.identifier = of.identifier;
    step.collateral = of.collateral;
    step.pre = derive_post(target.table(table), target.describe(*of.pre, {}), of.identifier);
    step.change = of.undo;
    step.post = of.post;
    step.watches = of.watches;
    return step;
}

/// Each row goes to the ledger's audit, so that it has to be returned.
void require_returning(const Step& step) {
    for (const ChangeStatement& statement : step.undo) {
        if (!statement.changes_data || statement.has_returning) continue;
        throw Error(ExitCode::failed, fmt::format("the {} in audit:undo has no RETURNING", statement.verb),
                    "What it changes could not be audited. --from-ledger uses the images instead. Nothing "
                    "was changed.");
    }
}

}  // namespace

std::set<int> steps_with_undo(const UndoneRun& undone, Engine engine) {
    std::set<int> steps;
    if (undone.undo) return steps;
    for (const Step& step : definition_of(undone, engine).steps) {
        if (!step.undo.empty()) steps.insert(step.number);
    }
    return steps;
}

const char* on_conflict_name(OnConflict on_conflict) noexcept {
    switch (on_conflict) {
        case OnConflict::stop:
            return "stop";
        case OnConflict::skip:
            return "skip";
        case OnConflict::force:
            return "force";
    }
    return "";
}

std::uint64_t count_of(const UndoTable& table, UndoKind kind) {
    const std::uint64_t puts = kind == UndoKind::removals ? 0 : table.updated + table.deleted;
    return puts + (kind == UndoKind::puts ? 0 : table.inserted);
}

Plan plan_undo(Target& target, UndoSource& source, const RunOptions& options, const std::string& ticket,
               std::vector<UndoStep>& steps) {
    const UndoneRun& undone = source.run();
    require_undoable(target, undone);
    name_tables(target, source);
    steps = steps_of(target, source);
    std::map<std::size_t, Step> written;
    Definition definition;
    if (!undone.undo) {
        const Definition executed = definition_of(undone, target.engine());
        definition.foreign_keys = executed.foreign_keys;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const int number = static_cast<int>(i) + 1;
            if (!steps[i].by_hand) continue;
            const Step& step = executed.steps.at(static_cast<std::size_t>(steps[i].table->number) - 1);
            require_returning(step);
            written.emplace(i, written_step(target, step, steps[i].table->table, number));
        }
    }
    definition.path = fmt::format("undo of run {}", undone.run);
    definition.version = undone.version;
    definition.name = undo_name(undone.uuid);
    definition.engine = target.engine();
    definition.text = text_of(undone, steps);
    definition.sha256 = sha256(definition.text);
    definition.ticket = ticket;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const auto by_hand = written.find(i);
        definition.steps.push_back(by_hand == written.end() ? image_step(steps[i], static_cast<int>(i) + 1)
                                                            : by_hand->second);
    }
    Plan plan = make_plan(std::move(definition), options);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        StepPlan& step = plan.steps[i];
        if (!steps[i].by_hand) {
            step.batching = Batching::key_list;
        } else if (step.batching == Batching::none) {
            step.obstacle = "a statement of its section `undo` does not say :affected";
            step.advice =
                fmt::format("Add `AND :affected({})` to it, or run the undo with --single-transaction.",
                            join(step.step.identifier, ", "));
        }
    }
    return plan;
}

}  // namespace datachange
