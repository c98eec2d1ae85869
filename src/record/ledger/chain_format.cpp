#include "record/ledger/chain_format.hpp"

#include <fmt/format.h>

#include "datachange/error.hpp"

namespace datachange {

namespace {

// README.md repeats these queries for those who check a ledger by other means: they are part of the formats,
// and none of them is ever altered. sha256() is the connection's own (Ledger).

constexpr const char* runs_1 =
    "SELECT uuid, version, name, definition_sha256, engine, target, operator, host, ticket, mode, state,"
    " rows_changed, started_at, finished_at, error, author, tool_version, server_version"
    " FROM runs WHERE run_id = ?";
constexpr const char* steps_1 =
    "SELECT step, name, table_name, identifier_columns, watch_of, evidence, before_columns, before_types,"
    " returned_columns, returned_types, after_columns, after_types FROM steps WHERE run_id = ? ORDER BY step";
constexpr const char* summaries_1 =
    "SELECT step, moment, result FROM summaries WHERE run_id = ? ORDER BY step, moment DESC";

const ChainFormat format_1{
    {{nullptr, runs_1}, {nullptr, steps_1}, {nullptr, summaries_1}},
    {nullptr, "SELECT step, batch, leaf FROM batch WHERE run_id = ? AND state = 'committed'"}};

constexpr const char* collateral =
    "SELECT step, batch, table_name, inserted, updated, deleted, truncated FROM collateral WHERE run_id = ?"
    " ORDER BY step, batch, table_name";

const ChainFormat format_2{
    {{"runs",
      "SELECT uuid, version, name, definition_sha256, engine, target, operator, host, ticket, mode, state,"
      " rows_changed, started_at, finished_at, error, author, tool_version, server_version, epoch"
      " FROM runs WHERE run_id = ?"},
     {"steps", steps_1},
     {"summaries", summaries_1},
     {"failures",
      "SELECT step, batch, identifier, sqlstate, message, at, resolved_at FROM failures WHERE run_id = ?"
      " ORDER BY rowid"},
     {"collateral", collateral},
     {"elsewhere",
      "SELECT step, batch, lower_key, upper_key, rows_changed, leaf, ledger_uuid FROM elsewhere"
      " WHERE run_id = ? ORDER BY step, batch"}},
    {"batches",
     "SELECT step, batch, state, leaf FROM batch WHERE run_id = ? AND state IN ('committed', 'lost')"}};

const ChainFormat format_3{
    {{"runs",
      "SELECT uuid, version, name, sha256(definition), definition_sha256, definition_path, engine, target,"
      " operator, host, ticket, author, mode, state, dry_run, rows_changed, rows_pre, rows_returned, "
      "rows_post,"
      " updated, inserted, deleted, unchanged, missing, unexpected, started_at, finished_at,"
      " coalesce(error_sha256, sha256(error)), tool_version, server_version, epoch, process, process_host,"
      " owned_since, reverses, git_commit, redaction_key FROM runs WHERE run_id = ?"},
     {"steps",
      "SELECT step, name, table_name, identifier, identifier_columns, watch_of, evidence, before_columns,"
      " before_types, returned_columns, returned_types, after_columns, after_types, redacted FROM steps"
      " WHERE run_id = ? ORDER BY step"},
     {"summaries",
      "SELECT step, moment, coalesce(result_sha256, sha256(result)) FROM summaries WHERE run_id = ?"
      " ORDER BY step, moment DESC"},
     {"failures",
      "SELECT step, batch, coalesce(identifier_sha256, sha256(identifier)), sqlstate,"
      " coalesce(message_sha256, sha256(message)), at, resolved_at FROM failures WHERE run_id = ?"
      " ORDER BY rowid"},
     {"collateral", collateral},
     {"conflicts",
      "SELECT step, batch, column_name,"
      " coalesce(values_sha256, sha256(json_array(identifier, before, after, live))) FROM conflicts"
      " WHERE run_id = ? ORDER BY rowid"},
     {"elsewhere",
      "SELECT step, batch, coalesce(lower_key_sha256, sha256(lower_key)),"
      " coalesce(upper_key_sha256, sha256(upper_key)), rows_changed, leaf, ledger_uuid FROM elsewhere"
      " WHERE run_id = ? ORDER BY step, batch"}},
    {"batches",
     "SELECT step, batch, state, leaf, leaf_format, rows, attempts, started_at, duration_ms, transaction_id,"
     " rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing, unexpected, "
     "witness"
     " FROM batch WHERE run_id = ? AND state IN ('committed', 'lost')"}};

}  // namespace

const ChainFormat& chain_format(int format) {
    switch (format) {
        case 1:
            return format_1;
        case 2:
            return format_2;
        case 3:
            return format_3;
        default:
            throw Error(ExitCode::mismatch, fmt::format("no link of the chain has format {}", format),
                        "Formats 1 to 3 are known.");
    }
}

}  // namespace datachange
