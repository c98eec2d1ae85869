#include "record/ledger/prune.hpp"

#include <array>

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "record/ledger/chain.hpp"
#include "record/ledger/chain_format.hpp"
#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/run_tables.hpp"
#include "record/ledger/verify.hpp"

namespace datachange {

namespace {

constexpr std::array drop_values{
    "DELETE FROM block WHERE batch_id IN (SELECT id FROM batch WHERE run_id = ?)",
    "DELETE FROM spool WHERE run_id = ?",
    "DELETE FROM spool_columns WHERE run_id = ?",
    "UPDATE batch SET lower_key = NULL, upper_key = NULL, first_change = NULL, last_change = NULL"
    " WHERE run_id = ?",
    // digests are counted from the old values, whatever the order of assignments
    "UPDATE summaries SET result_sha256 = sha256(result), result = '' WHERE run_id = ?",
    "UPDATE failures SET identifier_sha256 = sha256(identifier), message_sha256 = sha256(message),"
    " identifier = NULL, message = '' WHERE run_id = ?",
    "UPDATE conflicts SET values_sha256 = sha256(json_array(identifier, before, after, live)),"
    " identifier = '', before = NULL, after = NULL, live = NULL WHERE run_id = ?",
    "UPDATE elsewhere SET lower_key_sha256 = sha256(lower_key), upper_key_sha256 = sha256(upper_key),"
    " lower_key = NULL, upper_key = NULL WHERE run_id = ?",
    "UPDATE runs SET error_sha256 = sha256(error), error = NULL WHERE run_id = ?",
    // what these say of is an error's text, or a key
    "UPDATE events SET detail = '' WHERE run_id = ? AND kind IN ('failed', 'stopped', 'cancelled', 'retry',"
    " 'in doubt', 'split')",
};

void require_fits(Ledger& ledger, const PrunedRun& run) {
    VerifyOptions options;
    options.run = run.run;
    options.files = false;  // they are kept whatever is pruned
    const VerifyReport report = verify_ledger(ledger, options);
    if (report.fits()) return;
    throw Error(ExitCode::mismatch,
                fmt::format("run {} is not pruned, as it does not fit: {}", run.run,
                            report.mismatches.front().text()),
                "Its rows are what shows how it was edited: `datachange verify` tells more.");
}

/// Contents of older formats cover the values themselves.
bool content_will_fit(Ledger& ledger, std::int64_t run_id) {
    SQLite::Statement& query = ledger.bound(
        "SELECT root, (SELECT max(format) FROM (SELECT format, root FROM chain UNION ALL"
        " SELECT format, root FROM merged_chain) AS links WHERE links.root = runs.root)"
        " FROM runs WHERE run_id = ?",
        run_id);
    query.executeStep();
    const bool fits = query.isColumnNull(0) || query.getColumn(1).getInt() >= 3;
    query.reset();
    return fits;
}

}  // namespace

std::vector<PrunedRun> runs_to_prune(Ledger& ledger, const std::string& before) {
    SQLite::Statement& query = ledger.bound(
        "SELECT run_id, uuid, version, name, coalesce(finished_at, owned_since, started_at) AS ended,"
        " (SELECT coalesce(sum(rows), 0) FROM batch WHERE batch.run_id = runs.run_id), state, dry_run"
        " FROM runs WHERE pruned_at IS NULL AND ended < ? ORDER BY run_id",
        before);
    std::vector<PrunedRun> runs;
    while (query.executeStep()) {
        Cursor row{query};
        PrunedRun run;
        run.run = row.number();
        for (std::string* field : {&run.uuid, &run.version, &run.name, &run.finished_at}) *field = row.text();
        run.rows = row.count();
        const std::string state = row.text();
        const bool ended = state == "done" || state == "skipped" || state == "cancelled" || row.small() != 0;
        if (!ended)
            run.kept_because =
                fmt::format("it is {}, and can still go on (`datachange cancel {}` ends it)", state, run.run);
        runs.push_back(std::move(run));
    }
    query.reset();
    return runs;
}

void prune_run(Ledger& ledger, const PrunedRun& run) {
    ledger.transact([&] {
        require_fits(ledger, run);
        const bool fits_without = content_will_fit(ledger, run.run);
        for (const char* statement : drop_values) ledger.execute(statement, run.run);
        ledger.execute("UPDATE runs SET pruned_at = ? WHERE run_id = ?", utc_now(), run.run);
        insert_event(ledger, run.run, "pruned",
                     counted(run.rows, "row") + ": values were dropped, hashes and counts stay");
        if (!fits_without) append_to_chain(ledger, run.run);
    });
}

bool shrink(Ledger& ledger) {
    ledger.run("VACUUM");
    int pages = 0, left = 0;
    sqlite3_wal_checkpoint_v2(ledger.database().getHandle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, &pages,
                              &left);
    return pages == 0;
}

}  // namespace datachange
