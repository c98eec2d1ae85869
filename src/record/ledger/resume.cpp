#include "record/ledger/resume.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/batch_path.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"
#include "record/ledger/batch_writer.hpp"
#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/ownership.hpp"
#include "record/ledger/run_tables.hpp"

namespace datachange {

namespace {

using BatchName = std::pair<int, std::string>;  // step and path

std::string batch_text(const BatchName& name) {
    return fmt::format("step {} batch {}", name.first, name.second);
}

/// Rows of a query on the ledger, read before anything else is asked.
template <class Row, class Read, class... Values>
std::vector<Row> all(Ledger& ledger, const std::string& sql, Read read, const Values&... values) {
    SQLite::Statement& query = ledger.bound(sql, values...);
    std::vector<Row> rows;
    while (query.executeStep()) rows.push_back(read(Cursor{query}));
    query.reset();
    return rows;
}

/// A step as it is compared: all that begin_step records of it.
std::vector<std::string> step_facts(const StepHeader& step) {
    return {std::to_string(step.watch_of), step.name, step.table, json_array_of_strings(step.identifier),
            step.evidence};
}

std::map<int, std::vector<std::string>> recorded_steps(Ledger& ledger, std::int64_t run_id) {
    std::map<int, std::vector<std::string>> steps;
    SQLite::Statement& query = ledger.bound(
        "SELECT step, coalesce(watch_of, 0), name, table_name, identifier_columns, evidence FROM steps"
        " WHERE run_id = ?",
        run_id);
    while (query.executeStep()) {
        Cursor row{query};
        const int number = row.small();
        for (int i = 1; i < query.getColumnCount(); ++i) steps[number].push_back(row.text());
    }
    query.reset();
    return steps;
}

Error other_steps(std::int64_t run_id, int number) {
    return {ExitCode::mismatch,
            fmt::format("step {} of run {} is not the one that the run began with", number, run_id),
            fmt::format(
                "A run goes on with the definition that it began with; `datachange show {} --json` has its "
                "text.",
                run_id)};
}

/// A run that stopped while it began may lack its last steps.
void complete_steps(Ledger& ledger, std::int64_t run_id, const std::vector<StepHeader>& steps) {
    auto recorded = recorded_steps(ledger, run_id);
    for (const StepHeader& step : steps) {
        const auto known = recorded.extract(step.number);
        if (!known) {
            insert_step(ledger, run_id, step);
        } else if (known.mapped() != step_facts(step)) {
            throw other_steps(run_id, step.number);
        }
    }
    if (!recorded.empty()) throw other_steps(run_id, recorded.begin()->first);
}

/// A batch as this ledger has it.
struct OwnBatch {
    std::int64_t id;
    BatchName name;
    std::string state, leaf;

    bool in_doubt() const { return state == "prepared" || state == "unknown"; }
};

std::vector<OwnBatch> own_batches(Ledger& ledger, std::int64_t run_id) {
    auto batches = all<OwnBatch>(
        ledger, "SELECT id, step, batch, state, leaf FROM batch WHERE run_id = ?",
        [](Cursor row) {
            const std::int64_t id = row.number();
            const int step = row.small();
            const std::string batch = row.text(), state = row.text();
            return OwnBatch{id, {step, batch}, state, row.text()};
        },
        run_id);
    std::sort(batches.begin(), batches.end(), [](const OwnBatch& a, const OwnBatch& b) {
        return a.name.first != b.name.first ? a.name.first < b.name.first
                                            : batch_path_less(a.name.second, b.name.second);
    });
    return batches;
}

void insert_elsewhere(Ledger& ledger, std::int64_t run_id, const CommittedBatch& batch) {
    const auto bound = [](const std::optional<Key>& key) {
        return key ? std::optional{json_array(*key)} : std::nullopt;
    };
    ledger.execute(
        "INSERT OR REPLACE INTO elsewhere(run_id, step, batch, lower_key, upper_key, rows_changed, leaf, "
        "ledger_uuid)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        run_id, batch.step, batch.batch, bound(batch.range.after), bound(batch.range.upto), batch.rows,
        batch.leaf, batch.ledger);
}

/// Holds this ledger's batches against the journal.
class Decision {
public:
    Decision(Ledger& ledger, PriorEvidence& prior, const std::vector<CommittedBatch>& committed)
        : m_ledger(ledger), m_prior(prior), m_uuid(ledger.uuid()) {
        for (const CommittedBatch& batch : committed) m_journal[{batch.step, batch.batch}] = &batch;
    }

    void decide() {
        for (const OwnBatch& batch : own_batches(m_ledger, m_prior.run)) decide(batch);
        for (const auto& [name, batch] : m_journal) {
            insert_elsewhere(m_ledger, m_prior.run, *batch);
            m_prior.elsewhere.push_back(*batch);
            if (batch->ledger == m_uuid) {
                insert_event(
                    m_ledger, m_prior.run, "missing",
                    batch_text(name) + ": committed by this ledger, which has no such evidence any more");
            }
        }
        std::sort(m_prior.elsewhere.begin(), m_prior.elsewhere.end(),
                  [](const CommittedBatch& a, const CommittedBatch& b) {
                      return a.step != b.step ? a.step < b.step : batch_path_less(a.batch, b.batch);
                  });
    }

private:
    void decide(const OwnBatch& batch) {
        const auto found = m_journal.find(batch.name);
        const bool committed = found != m_journal.end() && !batch.leaf.empty() &&
                               found->second->leaf == batch.leaf && found->second->ledger == m_uuid;
        if (committed) {
            m_journal.erase(found);
            if (batch.in_doubt()) ++m_prior.found_committed;
            if (batch.state != "committed") set_batch_state(m_ledger, batch.id, "committed");
        } else if (batch.state == "writing") {
            drop_batch(m_ledger, batch.id);
        } else if (batch.in_doubt()) {
            ++m_prior.found_rolled_back;
            drop_batch(m_ledger, batch.id);
        } else if (batch.state == "committed" || batch.state == "lost") {
            lose(batch);
        }
    }

    void lose(const OwnBatch& batch) {
        m_prior.lost.push_back({batch.name.first, batch.name.second, {}, 0, batch.leaf, m_uuid});
        if (batch.state == "lost") return;
        set_batch_state(m_ledger, batch.id, "lost");
        insert_event(m_ledger, m_prior.run, "lost",
                     batch_text(batch.name) + ": committed by this ledger, and not in the target's journal");
    }

    Ledger& m_ledger;
    PriorEvidence& m_prior;
    std::string m_uuid;
    std::map<BatchName, const CommittedBatch*>
        m_journal;  ///< what no batch of this ledger is found for stays
};

PriorEvidence::StepEvidence evidence_of(Ledger& ledger, std::int64_t run_id, int step) {
    PriorEvidence::StepEvidence evidence;
    evidence.step = step;
    const auto batches = all<RowCounts>(
        ledger,
        fmt::format("SELECT {} FROM batch WHERE run_id = ? AND step = ? AND state = 'committed'",
                    count_columns),
        [](Cursor row) { return row.counts(); }, run_id, step);
    for (const RowCounts& rows : batches) evidence.rows += rows;
    evidence.batches = batches.size();
    return evidence;
}

std::vector<Collateral> collateral_by_table(Ledger& ledger, std::int64_t run_id) {
    return all<Collateral>(
        ledger,
        "SELECT c.table_name, sum(c.inserted), sum(c.updated), sum(c.deleted), max(c.truncated) FROM "
        "collateral AS c"
        " JOIN batch AS b USING (run_id, step, batch) WHERE run_id = ? AND b.state = 'committed'"
        " GROUP BY c.table_name ORDER BY c.table_name",
        [](Cursor row) {
            Collateral table;
            table.table = row.text();
            table.inserted = row.number();
            table.updated = row.number();
            table.deleted = row.number();
            table.truncated = row.small() != 0;
            return table;
        },
        run_id);
}

std::string summary_before(Ledger& ledger, std::int64_t run_id, int step) {
    const auto found = all<std::string>(
        ledger, "SELECT result FROM summaries WHERE run_id = ? AND step = ? AND moment = 'before'",
        [](Cursor row) { return row.text(); }, run_id, step);
    return found.empty() ? "" : found.front();
}

/// Finds the run by its UUID and takes it; enters it if it is not there.
void take(Ledger& ledger, const RunHeader& header, const std::vector<StepHeader>& steps,
          PriorEvidence& prior) {
    struct Known {
        std::int64_t run, epoch;
        std::string mode;
    };
    const auto known = all<Known>(
        ledger, "SELECT run_id, epoch, mode FROM runs WHERE uuid = ?",
        [](Cursor row) {
            const std::int64_t run = row.number(), epoch = row.number();
            return Known{run, epoch, row.text()};
        },
        header.uuid);
    prior.known = !known.empty();
    if (prior.known) {
        prior.run = known.front().run;
        prior.mode = known.front().mode;
        if (known.front().epoch > header.epoch) throw taken_over(ledger, prior.run);
        set_owner(ledger, prior.run, header);
    } else {
        prior.run = insert_run(ledger, header);
    }
    complete_steps(ledger, prior.run, steps);
    forget_conflicts(ledger, prior.run);
    insert_event(ledger, prior.run, prior.known ? "resumed" : "taken over",
                 fmt::format("by {} on {}, process {}, epoch {}", header.operator_name, header.host,
                             header.process, header.epoch));
}

}  // namespace

PriorEvidence take_over_run(Ledger& ledger, const RunHeader& header, const std::vector<StepHeader>& steps,
                            const std::vector<CommittedBatch>& committed) {
    PriorEvidence prior;
    take(ledger, header, steps, prior);
    Decision(ledger, prior, committed).decide();
    for (const StepHeader& step : steps) {
        prior.steps.push_back(evidence_of(ledger, prior.run, step.number));
        if (step.watch_of == 0)
            prior.summaries_before.push_back(summary_before(ledger, prior.run, step.number));
    }
    prior.collateral = collateral_by_table(ledger, prior.run);
    return prior;
}

}  // namespace datachange
