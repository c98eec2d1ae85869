#include "core/text.hpp"
#include "core/value_json.hpp"
#include "report/json.hpp"
#include "report/ledger_report.hpp"
#include "report/run_report.hpp"

namespace datachange {

namespace {

JsonObject run_object(const LedgerRun& run) {
    JsonObject object;
    object.add("run", run.run)
        .add("uuid", run.uuid)
        .add("version", run.version)
        .add("name", run.name)
        .add("definition_sha256", run.definition_sha256)
        .add_or_null("git_commit", run.git_commit)
        .add("engine", run.engine)
        .add("target", run.target)
        .add("operator", run.operator_name)
        .add("host", run.host)
        .add_or_null("ticket", run.ticket)
        .add("mode", run.mode)
        .add("state", shown_state(run))
        .add("dry_run", run.dry_run)
        .add("rows_changed", run.dry_run ? 0 : run.rows.changed())
        .raw("rows", counts_json(run.rows))
        .add("started_at", run.started_at)
        .add_or_null("finished_at", run.finished_at)
        .add_or_null("error", run.error)
        .add_or_null("csv_directory", run.csv_directory)
        .add("epoch", run.epoch)
        .raw("process", run.process == 0 ? "" : std::to_string(run.process))
        .add_or_null("process_host", run.process_host)
        .add_or_null("owned_since", run.owned_since)
        .add_or_null("redaction_key", run.redaction_key)
        .add_or_null("pruned_at", run.pruned_at);
    return object;
}

std::string steps_json(const std::vector<LedgerStep>& steps) {
    std::vector<std::string> items;
    for (const LedgerStep& step : steps) {
        items.push_back(JsonObject{}
                            .add("step", step.step)
                            .add_or_null("name", step.name)
                            .add_or_null("table", step.table)
                            .add("identifier", join(step.identifier, ", "))
                            .add("evidence", step.evidence)
                            .raw("redacted", json_array_of_strings(step.redacted))
                            .raw("watch_of", step.watch_of == 0 ? "null" : std::to_string(step.watch_of))
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string batches_json(const std::vector<LedgerBatch>& batches) {
    std::vector<std::string> items;
    for (const LedgerBatch& batch : batches) {
        items.push_back(JsonObject{}
                            .add("step", batch.step)
                            .add("batch", batch.batch)
                            .add("state", batch.state)
                            .raw("lower_key", batch.lower_key)
                            .raw("upper_key", batch.upper_key)
                            .raw("rows", counts_json(batch.rows))
                            .add("started_at", batch.started_at)
                            .add("duration_ms", batch.duration_ms)
                            .add("leaf", batch.leaf)
                            .add_or_null("witness", batch.witness)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string summaries_json(const std::vector<LedgerSummary>& summaries) {
    std::vector<std::string> items;
    for (const LedgerSummary& summary : summaries) {
        items.push_back(JsonObject{}
                            .add("step", summary.step)
                            .add("moment", summary.moment)
                            .raw("result", summary.result)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string files_json(const std::vector<LedgerFile>& files) {
    std::vector<std::string> items;
    for (const LedgerFile& file : files) {
        items.push_back(JsonObject{}
                            .add("step", file.step)
                            .add("name", file.name)
                            .add("path", file.path)
                            .add("bytes", file.bytes)
                            .add("sha256", file.sha256)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string collateral_json(const std::vector<LedgerCollateral>& tables) {
    std::vector<std::string> items;
    for (const LedgerCollateral& table : tables) {
        items.push_back(JsonObject{}
                            .add("step", table.step)
                            .add("batch", table.batch)
                            .add("table", table.rows.table)
                            .add("inserted", table.rows.inserted)
                            .add("updated", table.rows.updated)
                            .add("deleted", table.rows.deleted)
                            .add("truncated", table.rows.truncated)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string events_json(const std::vector<LedgerEvent>& events) {
    std::vector<std::string> items;
    for (const LedgerEvent& event : events) {
        items.push_back(
            JsonObject{}.add("at", event.at).add("kind", event.kind).add("detail", event.detail).text());
    }
    return "[" + join(items, ",") + "]";
}

std::string approvals_json(const std::vector<LedgerApproval>& approvals) {
    std::vector<std::string> items;
    for (const LedgerApproval& approval : approvals) {
        items.push_back(JsonObject{}
                            .add("signer", approval.signer)
                            .add("at", approval.at)
                            .add("nonce", approval.nonce)
                            .add("signed", approval.text)
                            .add("signature", approval.signature)
                            .add("allowed_signer", approval.allowed_signer)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string failures_json(const std::vector<LedgerFailure>& failures) {
    std::vector<std::string> items;
    for (const LedgerFailure& failure : failures) {
        items.push_back(JsonObject{}
                            .add("step", failure.step)
                            .add("batch", failure.batch)
                            .add_or_null("identifier", failure.identifier)
                            .add_or_null("sqlstate", failure.sqlstate)
                            .add("message", failure.message)
                            .add("at", failure.at)
                            .add_or_null("resolved_at", failure.resolved_at)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

std::string elsewhere_json(const std::vector<LedgerElsewhere>& batches) {
    std::vector<std::string> items;
    for (const LedgerElsewhere& batch : batches) {
        items.push_back(JsonObject{}
                            .add("step", batch.step)
                            .add("batch", batch.batch)
                            .raw("lower_key", batch.lower_key)
                            .raw("upper_key", batch.upper_key)
                            .add("rows_changed", batch.rows_changed)
                            .add("leaf", batch.leaf)
                            .add("ledger", batch.ledger)
                            .text());
    }
    return "[" + join(items, ",") + "]";
}

}  // namespace

std::string runs_json(const std::vector<LedgerRun>& runs) {
    std::vector<std::string> items;
    for (const LedgerRun& run : runs) items.push_back(run_object(run).text());
    return json_list(items) + "\n";
}

std::string show_json(const LedgerReader& ledger, const LedgerRun& run) {
    JsonObject object = run_object(run);
    object.add("definition", ledger.definition(run.run))
        .add_or_null("author", run.author)
        .add("server_version", run.server_version)
        .add("tool_version", run.tool_version)
        .add_or_null("root", run.root)
        .raw("steps", steps_json(ledger.steps(run.run)))
        .raw("batches", batches_json(ledger.batches(run.run)))
        .raw("summaries", summaries_json(ledger.summaries(run.run)))
        .raw("collateral", collateral_json(ledger.collateral(run.run)))
        .raw("failures", failures_json(ledger.failures(run.run)))
        .raw("elsewhere", elsewhere_json(ledger.elsewhere(run.run)))
        .raw("approvals", approvals_json(ledger.approvals(run.run)))
        .raw("events", events_json(ledger.events(run.run)))
        .raw("files", files_json(ledger.files(run.run)));
    return object.text() + "\n";
}

std::string history_json(const std::vector<HistoryEntry>& entries) {
    std::vector<std::string> items;
    for (const HistoryEntry& entry : entries) {
        items.push_back(JsonObject{}
                            .add("run", entry.run)
                            .add("version", entry.version)
                            .add("name", entry.name)
                            .add_or_null("ticket", entry.ticket)
                            .add("operator", entry.operator_name)
                            .add("started_at", entry.started_at)
                            .add("at", entry.at)
                            .raw("reverses_run", entry.reverses == 0 ? "" : std::to_string(entry.reverses))
                            .add_or_null("reversed_by", entry.reversed_by)
                            .add("step", entry.step)
                            .add("batch", entry.batch)
                            .add_or_null("table", entry.table)
                            .add("identifier", entry.identifier)
                            .add_or_null("new_identifier", entry.new_identifier)
                            .add("action", entry.action)
                            .raw("before", entry.before)
                            .raw("after", entry.after)
                            .text());
    }
    return json_list(items) + "\n";
}

}  // namespace datachange
