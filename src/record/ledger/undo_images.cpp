#include "record/ledger/undo_images.hpp"

#include <set>

#include <fmt/format.h>

#include "capture/undo.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"
#include "run/undo_plan.hpp"

namespace datachange {

namespace {

[[noreturn]] void refuse(const LedgerRun& run, const std::string& why, const std::string& hint = {}) {
    throw Error(ExitCode::failed, fmt::format("run {} cannot be undone: {}", run.run, why),
                hint + (hint.empty() ? "" : " ") + "Nothing was changed.");
}

void require_ended(const LedgerRun& run) {
    if (run.dry_run) refuse(run, "it was a dry run, which changed nothing");
    if (run.state == "done" || run.state == "cancelled") return;
    refuse(run, fmt::format("it is {}, and may go on", run.state),
           fmt::format("`datachange resume {0}` goes on with it, `datachange cancel {0}` ends it for good.",
                       run.run));
}

void require_complete(const LedgerReader& ledger, const LedgerRun& run) {
    if (!run.pruned_at.empty())
        refuse(run, fmt::format("its values were dropped from the ledger at {}", run.pruned_at));
    if (!ledger.elsewhere(run.run).empty())
        refuse(run, "the evidence of some batches is in another ledger", "`datachange show` names it.");
    for (const LedgerBatch& batch : ledger.batches(run.run)) {
        if (batch.state == "committed" || batch.state == "rolled_back") continue;
        refuse(run, fmt::format("batch {} of step {} is {}", batch.batch, batch.step, batch.state),
               "What the target has of it is not what the ledger has.");
    }
}

void require_no_collateral(const LedgerReader& ledger, const LedgerRun& run, bool partial) {
    const std::vector<LedgerCollateral> tables = ledger.collateral(run.run);
    if (partial || tables.empty()) return;
    const Collateral& first = tables.front().rows;
    refuse(run,
           fmt::format(
               "triggers or cascades changed rows that the ledger has no images of, {} of them in {}",
               with_thousands(static_cast<std::uint64_t>(first.inserted + first.updated + first.deleted)),
               first.table),
           "--partial puts the audited rows back, and leaves those as they are.");
}

std::vector<std::string> names_of(const std::vector<LedgerColumn>& columns) {
    std::vector<std::string> names;
    for (const LedgerColumn& column : columns) names.push_back(column.name);
    return names;
}

void require_images(const LedgerRun& run, const LedgerStep& step) {
    const std::string which = fmt::format("step {}", step.step);
    if (step.evidence != "full")
        refuse(run, fmt::format("of {} the ledger has {} alone (evidence: {})", which,
                                step.evidence == "keys" ? "identifiers" : "counts", step.evidence));
    if (!step.redacted.empty())
        refuse(run, fmt::format("{} of {} is redacted", join(step.redacted, ", "), which));
}

/// A section `undo` is told which rows the run changed, and needs no more.
void require_identifiers(const LedgerRun& run, const LedgerStep& step) {
    if (step.evidence != "counts") return;
    refuse(run, fmt::format(
                    "of step {} the ledger has counts alone, and its section `undo` is to be told the rows",
                    step.step));
}

/// What the run did in a step, over its committed batches.
UndoTable table_of(const LedgerReader& ledger, const LedgerRun& run, const LedgerStep& step) {
    UndoTable table;
    table.number = step.step;
    table.watch_of = step.watch_of;
    table.table = step.table;
    table.identifier = step.identifier;
    table.before = names_of(step.before);
    table.after = names_of(step.after);
    for (const LedgerBatch& batch : ledger.batches(run.run)) {
        if (batch.step != step.step || batch.state != "committed") continue;
        table.updated += batch.rows.updated;
        table.inserted += batch.rows.inserted;
        table.deleted += batch.rows.deleted;
    }
    table.renames = ledger.renames(run.run, step.step);
    return table;
}

std::vector<Column> image_columns(const UndoTable& table) {
    std::vector<Column> columns{{"place", "", "", ""}, {"action", "", "", ""}};
    for (const std::string& name : table.before) columns.push_back({"before." + name, "", "", ""});
    for (const std::string& name : table.after) columns.push_back({"after." + name, "", "", ""});
    return columns;
}

/// The values of one image, as many as the table has columns.
void add_image(RowSet& rows, const RowImages::Cells& cells, std::size_t width, std::string& json) {
    if (cells.empty()) {
        for (std::size_t i = 0; i < width; ++i) rows.add(ValueKind::null, {});
        return;
    }
    json.clear();
    for (const std::string_view cell : cells) json.append(json.empty() ? "[" : ",").append(cell);
    json += ']';
    for (const Value& value : parse_json_array(json)) rows.add(value.view());
}

bool is_of(Action action, UndoKind kind) {
    if (action == Action::inserted) return kind != UndoKind::puts;
    return (action == Action::updated || action == Action::deleted) && kind != UndoKind::removals;
}

}  // namespace

LedgerUndoSource::LedgerUndoSource(const std::string& ledger, const std::string& which, Engine engine,
                                   bool partial, bool from_ledger)
    : m_ledger(ledger) {
    const LedgerRun run = m_ledger.run(which);
    if (run.engine != engine_name(engine))
        refuse(run, fmt::format("it ran on {}, and this is {}", run.engine, engine_name(engine)));
    require_ended(run);
    require_complete(m_ledger, run);
    m_run = {run.run, run.uuid, run.version, run.name, m_ledger.definition(run.run), !run.reverses.empty(),
             false};
    const std::set<int> written = from_ledger ? std::set<int>{} : steps_with_undo(m_run, engine);
    m_run.by_hand = !written.empty();
    if (!m_run.by_hand) require_no_collateral(m_ledger, run, partial);
    for (const LedgerStep& step : m_ledger.steps(run.run)) {
        UndoTable table = table_of(m_ledger, run, step);
        if (count_of(table, UndoKind::all) == 0) continue;
        table.by_hand = written.contains(step.watch_of == 0 ? step.step : step.watch_of);
        table.by_hand ? require_identifiers(run, step) : require_images(run, step);
        m_tables.push_back(std::move(table));
    }
    if (m_tables.empty()) refuse(run, "it changed no row");
}

void LedgerUndoSource::name_table(int number, const std::string& table) {
    for (UndoTable& own : m_tables) {
        if (own.number == number) own.table = table;
    }
}

void LedgerUndoSource::read(const UndoTable& table, UndoKind kind, std::size_t rows,
                            const std::function<void(const RowSet&)>& piece) {
    ChangeReader changes = m_ledger.changes(m_run.run, table.number, ChangeReader::Order::last_first);
    RowSet images(image_columns(table));
    std::string json;
    std::int64_t place = 0;
    while (const ChangeRow* change = changes.next()) {
        if (!is_of(change->row.action, kind)) continue;
        images.add(ValueKind::integer, std::to_string(++place));
        images.add(ValueKind::integer, std::to_string(static_cast<int>(change->row.action)));
        add_image(images, change->images->before(), table.before.size(), json);
        add_image(images, change->images->after(), table.after.size(), json);
        if (images.size() < rows) continue;
        piece(images);
        images = RowSet(image_columns(table));
    }
    if (!images.empty()) piece(images);
}

}  // namespace datachange
