#include "record/ledger/merge_run.hpp"

#include <fmt/format.h>

#include "record/ledger/batch_writer.hpp"
#include "record/ledger/chain.hpp"
#include "record/ledger/chain_format.hpp"
#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/run_tables.hpp"

namespace datachange {

std::optional<RunMerge::Run> RunMerge::find_run(Ledger& ledger, const std::string& where,
                                                const std::string& value) {
    SQLite::Statement& query = ledger.bound(
        fmt::format("SELECT run_id, epoch, uuid, state, pruned_at IS NOT NULL FROM runs WHERE {} = ?", where),
        value);
    std::optional<Run> run;
    if (query.executeStep()) {
        Cursor row{query};
        run.emplace();
        run->run = row.number();
        run->epoch = row.number();
        run->uuid = row.text();
        run->state = row.text();
        run->pruned = row.small() != 0;
    }
    query.reset();
    return run;
}

RunMerge::Side RunMerge::side_of(Ledger& ledger, std::int64_t run) {
    Side side;
    SQLite::Statement& batches =
        ledger.bound("SELECT step, batch, id, state, leaf FROM batch WHERE run_id = ?", run);
    while (batches.executeStep()) {
        Cursor row{batches};
        const int step = row.small();
        Batch& batch = side.batches[{step, row.text()}];
        batch.id = row.number();
        batch.state = row.text();
        batch.leaf = row.text();
    }
    batches.reset();
    SQLite::Statement& elsewhere =
        ledger.bound("SELECT step, batch, leaf FROM elsewhere WHERE run_id = ?", run);
    while (elsewhere.executeStep()) {
        Cursor row{elsewhere};
        const int step = row.small();
        std::string& leaf = side.elsewhere[{step, row.text()}];
        leaf = row.text();
    }
    elsewhere.reset();
    return side;
}

RunMerge::Result RunMerge::merge(std::int64_t run) {
    const Run there = *find_run(m_other, "run_id", std::to_string(run));
    const auto here = find_run(m_here, "uuid", there.uuid);
    Result result;
    if (here) {
        result.run = here->run;
        complete(*here, there, result);
    } else {
        add(there, result);
    }
    return result;
}

void RunMerge::add(const Run& there, Result& result) {
    m_copy.copy("runs", {}, "run_id = ?", there.run);
    result.run = m_here.last_id();
    result.added = true;
    const RowCopy::Instead own{{"run_id", result.run}};
    for (const char* table :
         {"steps", "summaries", "collateral", "elsewhere", "approvals", "files", "spool_columns", "spool"})
        m_copy.copy(table, own, "run_id = ?", there.run);
    m_copy.copy("failures", own, "run_id = ? ORDER BY rowid", there.run);
    m_copy.copy("conflicts", own, "run_id = ? ORDER BY rowid", there.run);
    m_copy.copy("events", own, "run_id = ? ORDER BY event_id", there.run);
    for (const auto& [name, batch] : side_of(m_other, there.run).batches) {
        if (batch.state == "writing") continue;
        copy_batch(result.run, batch);
        ++result.batches;
    }
}

/// What both have is the same; the rest is put together.
void RunMerge::complete(const Run& here, const Run& there, Result& result) {
    m_ours = side_of(m_here, here.run);
    m_theirs = side_of(m_other, there.run);
    require_same_leaves(here);
    if (here.pruned || there.pruned) return;  // values that were dropped do not come back
    const std::string before = content_of(m_here, here.run, newest_chain_format).sha256;
    const bool further =
        there.epoch > here.epoch || (there.epoch == here.epoch && there.ended() && !here.ended());
    bring_notes(here, there, further);
    bring_batches(here, result);
    settle(here, further);
    if (further) m_copy.update_run(here.run, there.run);
    result.completed = content_of(m_here, here.run, newest_chain_format).sha256 != before;
    if (!result.completed) return;
    bring_files(here, there, further);
    insert_event(m_here, here.run, "merged", "with what ledger " + m_other.uuid() + " has of the run");
    if ((further ? there : here).ended()) append_to_chain(m_here, here.run);
}

void RunMerge::require_same_leaves(const Run& run) const {
    const auto conflict = [&](const BatchName& name, const std::string& ours, const std::string& theirs) {
        if (ours == theirs) return;
        throw Error(ExitCode::mismatch,
                    fmt::format("run {} step {} batch {} has leaf {} in {}, and leaf {} in {}",
                                run.uuid.substr(0, 8), name.first, name.second, ours.substr(0, 16),
                                m_here.path(), theirs.substr(0, 16), m_other.path()),
                    "Both cannot be what was committed: `datachange verify --database URL` on each of them "
                    "shows which "
                    "one the target's journal has. Nothing was merged.");
    };
    const auto leaf_of = [](const Side& side, const BatchName& name) -> std::optional<std::string> {
        const auto batch = side.batches.find(name);
        if (batch != side.batches.end() && batch->second.committed()) return batch->second.leaf;
        const auto elsewhere = side.elsewhere.find(name);
        return elsewhere == side.elsewhere.end() ? std::nullopt : std::optional{elsewhere->second};
    };
    for (const Side* side : {&m_ours, &m_theirs}) {
        for (const auto& [name, batch] : side->batches) {
            const auto ours = leaf_of(m_ours, name), theirs = leaf_of(m_theirs, name);
            if (ours && theirs) conflict(name, *ours, *theirs);
        }
    }
}

/// Committed there, and not known here as committed; or in doubt there, and not known here to be another one.
bool RunMerge::wanted(const BatchName& name, const Batch& batch) const {
    const auto ours = m_ours.batches.find(name);
    if (ours != m_ours.batches.end() && (ours->second.committed() || !batch.committed())) return false;
    if (batch.committed()) return true;
    if (!batch.in_doubt()) return false;
    const auto elsewhere = m_ours.elsewhere.find(name);
    return elsewhere == m_ours.elsewhere.end() || elsewhere->second == batch.leaf;
}

void RunMerge::bring_batches(const Run& here, Result& result) {
    for (const auto& [name, batch] : m_theirs.batches) {
        if (!wanted(name, batch)) continue;
        if (const auto ours = m_ours.batches.find(name); ours != m_ours.batches.end()) {
            drop_batch(m_here, ours->second.id);
            m_here.execute("DELETE FROM batch WHERE id = ?", ours->second.id);
        }
        m_ours.batches[name] = {copy_batch(here.run, batch), batch.state, batch.leaf};
        m_copy.copy("collateral", {{"run_id", here.run}},
                    "(run_id, step, batch) = (SELECT run_id, step, batch FROM batch WHERE id = ?)", batch.id);
        ++result.batches;
    }
}

/// What either of them knows to be committed, decides what the other is in doubt of.
void RunMerge::settle(const Run& here, bool further) {
    for (const auto& [name, leaf] : m_theirs.elsewhere) m_ours.elsewhere.try_emplace(name, leaf);
    for (const auto& [name, batch] : m_ours.batches) {
        const auto known = m_ours.elsewhere.find(name);
        const auto theirs = m_theirs.batches.find(name);
        const bool theirs_has = theirs != m_theirs.batches.end();
        if (batch.in_doubt() && known != m_ours.elsewhere.end() && known->second == batch.leaf) {
            set_batch_state(m_here, batch.id, "committed");
        } else if (batch.in_doubt() && further && !theirs_has) {
            drop_batch(m_here, batch.id);  // who went on with the run found it rolled back
        } else if (further && theirs_has && theirs->second.committed() &&
                   theirs->second.state != batch.state) {
            set_batch_state(m_here, batch.id, theirs->second.state.c_str());
        }
    }
    m_here.execute(
        "DELETE FROM elsewhere WHERE run_id = ? AND EXISTS (SELECT 1 FROM batch AS b WHERE b.run_id = "
        "elsewhere.run_id"
        " AND b.step = elsewhere.step AND b.batch = elsewhere.batch AND b.state IN ('committed', 'lost'))",
        here.run);
}

std::int64_t RunMerge::copy_batch(std::int64_t here_run, const Batch& batch) {
    m_copy.copy("batch", {{"run_id", here_run}}, "id = ?", batch.id);
    const std::int64_t id = m_here.last_id();
    SQLite::Statement& next =
        m_here.bound("SELECT coalesce((SELECT id + rows FROM block ORDER BY id DESC LIMIT 1), 1)");
    next.executeStep();
    const std::int64_t first = next.getColumn(0).getInt64();
    next.reset();
    std::int64_t place = first;
    SQLite::Statement& blocks = m_other.bound(
        "SELECT id, rows FROM block WHERE batch_id = ?1 AND id BETWEEN (SELECT first_change FROM batch WHERE "
        "id = ?1)"
        " AND (SELECT last_change FROM batch WHERE id = ?1) ORDER BY id",
        batch.id);
    while (blocks.executeStep()) {
        m_copy.copy("block", {{"id", place}, {"batch_id", id}}, "id = ?", blocks.getColumn(0).getInt64());
        place += blocks.getColumn(1).getInt64();
    }
    blocks.reset();
    if (place > first) {
        m_here.execute("UPDATE batch SET first_change = ?, last_change = ? WHERE id = ?", first, place - 1,
                       id);
    }
    return id;
}

}  // namespace datachange
