#include "record/ledger/ledger_rows.hpp"

#include <fmt/format.h>

#include "core/value_json.hpp"
#include "record/ledger/json_cells.hpp"

namespace datachange {

namespace {

std::vector<std::string> names(const std::string& json) {
    std::vector<std::string> names;
    if (json.empty()) return names;
    for (const Value& name : parse_json_array(json)) names.push_back(name.bytes);
    return names;
}

std::vector<LedgerColumn> columns(const std::string& names_json, const std::string& types_json) {
    const auto column_names = names(names_json), types = names(types_json);
    std::vector<LedgerColumn> columns;
    for (std::size_t i = 0; i < column_names.size(); ++i) columns.push_back({column_names[i], types.at(i)});
    return columns;
}

std::vector<std::vector<LedgerColumn>> column_lists(const std::string& names_json,
                                                    const std::string& types_json) {
    std::vector<std::vector<LedgerColumn>> lists;
    if (names_json.empty()) return lists;
    std::vector<std::string_view> name_lists, type_lists;
    split_json_array(names_json, name_lists);
    split_json_array(types_json, type_lists);
    for (std::size_t i = 0; i < name_lists.size(); ++i) {
        lists.push_back(columns(std::string{name_lists[i]}, std::string{type_lists.at(i)}));
    }
    return lists;
}

}  // namespace

std::string select_runs(const char* rest) {
    return fmt::format(
        "SELECT run_id, uuid, version, name, definition_sha256, definition_path, engine, target, operator, "
        "host,"
        " ticket, author, tool_version, server_version, mode, state, dry_run, {}, started_at, finished_at, "
        "error,"
        " csv_directory, root, epoch, process, process_host, owned_since, reverses, git_commit, "
        "redaction_key, pruned_at "
        "FROM runs {}",
        count_columns, rest);
}

LedgerRun read_run(Cursor row) {
    LedgerRun run;
    run.run = row.number();
    for (std::string* field :
         {&run.uuid, &run.version, &run.name, &run.definition_sha256, &run.definition_path, &run.engine,
          &run.target, &run.operator_name, &run.host, &run.ticket, &run.author, &run.tool_version,
          &run.server_version, &run.mode, &run.state}) {
        *field = row.text();
    }
    run.dry_run = row.small() != 0;
    run.rows = row.counts();
    for (std::string* field :
         {&run.started_at, &run.finished_at, &run.error, &run.csv_directory, &run.root}) {
        *field = row.text();
    }
    run.epoch = row.number();
    run.process = row.number();
    run.process_host = row.text();
    for (std::string* field :
         {&run.owned_since, &run.reverses, &run.git_commit, &run.redaction_key, &run.pruned_at})
        *field = row.text();
    return run;
}

LedgerStep read_step(Cursor row) {
    LedgerStep step;
    step.step = row.small();
    step.watch_of = row.small();
    step.name = row.text();
    step.table = row.text();
    step.identifier = names(row.text());
    step.evidence = row.text();
    const std::string before = row.text(), before_types = row.text();
    step.before = columns(before, before_types);
    const std::string returned = row.text(), returned_types = row.text();
    step.returned = column_lists(returned, returned_types);
    const std::string after = row.text(), after_types = row.text();
    step.after = columns(after, after_types);
    step.redacted = names(row.text());
    return step;
}

LedgerBatch read_batch(Cursor row) {
    LedgerBatch batch;
    batch.step = row.small();
    for (std::string* field : {&batch.batch, &batch.state, &batch.lower_key, &batch.upper_key})
        *field = row.text();
    batch.audited = row.count();
    batch.rows = row.counts();
    batch.attempts = row.small();
    batch.started_at = row.text();
    batch.duration_ms = row.number();
    batch.leaf = row.text();
    batch.transaction_id = row.text();
    batch.witness = row.text();
    return batch;
}

HistoryEntry read_history(Cursor row) {
    HistoryEntry entry;
    entry.run = row.number();
    for (std::string* field :
         {&entry.version, &entry.name, &entry.ticket, &entry.operator_name, &entry.started_at}) {
        *field = row.text();
    }
    entry.step = row.small();
    for (std::string* field : {&entry.batch, &entry.table, &entry.identifier, &entry.new_identifier,
                               &entry.action, &entry.before, &entry.after, &entry.at}) {
        *field = row.text();
    }
    entry.reverses = row.number();
    entry.reversed_by = row.text();
    return entry;
}

}  // namespace datachange
