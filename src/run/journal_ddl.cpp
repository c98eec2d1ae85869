#include "run/journal_ddl.hpp"

#include <fmt/format.h>

namespace datachange {

std::vector<std::string> journal_ddl(Engine engine, const std::string& prefix) {
    const bool postgres = engine == Engine::postgresql;
    const char* moment = postgres ? "timestamptz" : "TEXT";
    return {
        fmt::format("CREATE TABLE IF NOT EXISTS {}datachange_runs (\n"
                    "  run_uuid text PRIMARY KEY,\n"
                    "  version text NOT NULL,\n"
                    "  name text NOT NULL,\n"
                    "  definition_sha256 text NOT NULL,\n"
                    "  state text NOT NULL,\n"
                    "  epoch bigint NOT NULL,\n"
                    "  mode text NOT NULL,\n"
                    "  owner text NOT NULL,\n"
                    "  host text NOT NULL,\n"
                    "  process bigint NOT NULL,\n"
                    "  owned_since text NOT NULL,\n"
                    "  ledger_uuid text NOT NULL,\n"
                    "  sets text NOT NULL DEFAULT '',\n"
                    "  operator text,\n"
                    "  ticket text,\n"
                    "  rows_changed bigint NOT NULL DEFAULT 0,\n"
                    "  started_at {} NOT NULL,\n"
                    "  finished_at {}\n)",
                    prefix, moment, moment),
        fmt::format("CREATE TABLE IF NOT EXISTS {0}datachange_batches (\n"
                    "  run_uuid text NOT NULL REFERENCES {1}datachange_runs,\n"
                    "  step integer NOT NULL,\n"
                    "  batch text NOT NULL,\n"
                    "  lower_key text,\n"
                    "  upper_key text,\n"
                    "  rows_changed bigint NOT NULL,\n"
                    "  leaf text NOT NULL,\n"
                    "  ledger_uuid text NOT NULL,\n"
                    "  PRIMARY KEY (run_uuid, step, batch)\n)",
                    prefix, postgres ? prefix : ""),  // SQLite names the parent without its schema
        fmt::format("CREATE TABLE IF NOT EXISTS {0}datachange_requests (\n"
                    "  run_uuid text PRIMARY KEY REFERENCES {1}datachange_runs,\n"
                    "  request text NOT NULL,\n"
                    "  max_rows_per_second bigint,\n"
                    "  requested_by text NOT NULL,\n"
                    "  requested_at text NOT NULL\n)",
                    prefix, postgres ? prefix : ""),
        fmt::format("CREATE TABLE IF NOT EXISTS {}datachange_marks (\n"
                    "  mark_id text PRIMARY KEY,\n"
                    "  version text NOT NULL,\n"
                    "  state text NOT NULL,\n"
                    "  reason text NOT NULL,\n"
                    "  origin text NOT NULL,\n"
                    "  after_run text NOT NULL,\n"
                    "  marked_by text NOT NULL,\n"
                    "  marked_at {} NOT NULL\n)",
                    prefix, moment),
        fmt::format("CREATE TABLE IF NOT EXISTS {}datachange_schema_migrations (\n"
                    "  version text PRIMARY KEY,\n"
                    "  name text NOT NULL,\n"
                    "  sha256 text NOT NULL,\n"
                    "  state text NOT NULL,\n"
                    "  statements_done bigint NOT NULL,\n"
                    "  attempt_uuid text NOT NULL,\n"
                    "  applied_by text NOT NULL,\n"
                    "  host text NOT NULL,\n"
                    "  process bigint NOT NULL,\n"
                    "  owned_since text NOT NULL,\n"
                    "  started_at {} NOT NULL,\n"
                    "  finished_at {},\n"
                    "  error text\n)",
                    prefix, moment, moment),
        fmt::format("CREATE TABLE IF NOT EXISTS {}datachange_queue (\n"
                    "  item_id text PRIMARY KEY,\n"
                    "  position bigint NOT NULL UNIQUE,\n"
                    "  version text NOT NULL,\n"
                    "  name text NOT NULL,\n"
                    "  definition_sha256 text NOT NULL,\n"
                    "  state text NOT NULL,\n"
                    "  attempts bigint NOT NULL DEFAULT 0,\n"
                    "  not_before {},\n"
                    "  claim bigint NOT NULL DEFAULT 0,\n"
                    "  worker text,\n"
                    "  host text,\n"
                    "  process bigint,\n"
                    "  claimed_at text,\n"
                    "  worker_timeout_ms bigint,\n"
                    "  heartbeat_at {},\n"
                    "  enqueued_by text NOT NULL,\n"
                    "  enqueued_at {} NOT NULL,\n"
                    "  finished_at {},\n"
                    "  run_uuid text,\n"
                    "  error text\n)",
                    prefix, moment, moment, moment, moment),
        // one open item a version
        fmt::format("CREATE UNIQUE INDEX IF NOT EXISTS {} ON {}datachange_queue (version)\n"
                    "  WHERE state IN ('created', 'pending', 'processing', 'failed')",
                    postgres ? "datachange_queue_open" : prefix + "datachange_queue_open",
                    postgres ? prefix : ""),
        // an approval lets one run through: its nonce can be entered once
        fmt::format("CREATE TABLE IF NOT EXISTS {}datachange_approvals (\n"
                    "  nonce text PRIMARY KEY,\n"
                    "  run_uuid text NOT NULL,\n"
                    "  version text NOT NULL,\n"
                    "  signer text NOT NULL,\n"
                    "  used_at {} NOT NULL\n)",
                    prefix, moment),
        // one active run a version: this index decides between two that start at once
        fmt::format("CREATE UNIQUE INDEX IF NOT EXISTS {} ON {}datachange_runs (version)\n"
                    "  WHERE state IN ('processing', 'paused')",
                    postgres ? "datachange_runs_active" : prefix + "datachange_runs_active",
                    postgres ? prefix : ""),
    };
}

}  // namespace datachange
