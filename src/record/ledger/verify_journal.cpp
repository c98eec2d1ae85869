#include <map>

#include <fmt/format.h>

#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/verify_parts.hpp"

namespace datachange {

namespace {

using BatchName = std::pair<int, std::string>;  // step and path

struct RecordedLeaf {
    std::string state, leaf;
};

std::map<BatchName, RecordedLeaf> leaves_of(Ledger& ledger, std::int64_t run) {
    SQLite::Statement& query =
        ledger.bound("SELECT step, batch, state, leaf FROM batch WHERE run_id = ? ORDER BY step", run);
    std::map<BatchName, RecordedLeaf> leaves;
    while (query.executeStep()) {
        Cursor row{query};
        const int step = row.small();
        const std::string batch = row.text(), state = row.text();
        leaves[{step, batch}] = {state, row.text()};
    }
    query.reset();
    return leaves;
}

}  // namespace

void verify_journal(Ledger& ledger, const VerifiedRun& run, const TargetJournal& journal,
                    VerifyReport& report) {
    if (run.dry_run) return;
    report.target = journal.target;
    const auto leaves = leaves_of(ledger, run.run);
    const auto known = journal.batches(run.uuid);
    if (!known && run.target != journal.target) return;  // it ran on another one
    std::map<BatchName, const CommittedBatch*> there;
    if (known) {
        for (const CommittedBatch& batch : *known) there[{batch.step, batch.batch}] = &batch;
    }
    const auto wrong = [&](const BatchName& name, const char* message) {
        report.mismatches.push_back({run.run, name.first, name.second, "", message});
    };
    for (const auto& [name, batch] : leaves) {
        const auto found = there.find(name);
        if (batch.state != "committed") continue;
        ++report.journal_batches;
        if (found == there.end()) {
            wrong(name, "the target's journal does not have it");
        } else if (found->second->leaf != batch.leaf) {
            wrong(name, "the target's journal has it with another leaf");
        }
    }
    if (!run.ended()) return;  // it may have committed more since
    for (const auto& [name, batch] : there) {
        const auto found = leaves.find(name);
        const bool ours = batch->ledger == report.ledger;
        if (ours && (found == leaves.end() || found->second.state == "rolled_back"))
            wrong(name, "the target's journal has it, and the ledger does not");
    }
}

}  // namespace datachange
