#include "record/ledger/batch_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/failpoint.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"
#include "record/ledger/run_tables.hpp"

namespace datachange {

namespace {

// A batch that was rolled back may be tried again under its name; one that may have been committed may not.
constexpr const char* insert_batch_sql =
    "INSERT INTO batch(run_id, step, batch, state, lower_key, upper_key, rows, attempts, started_at,"
    " duration_ms, rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing,"
    " unexpected, leaf_format)"
    " VALUES (?, ?, ?, 'writing', ?, ?, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2)"
    " ON CONFLICT(run_id, step, batch) DO UPDATE SET state = excluded.state, lower_key = excluded.lower_key,"
    " upper_key = excluded.upper_key, leaf_format = excluded.leaf_format"
    " WHERE batch.state = 'rolled_back' RETURNING id";

constexpr const char* complete_batch_sql =
    "UPDATE batch SET state = 'prepared', rows = ?, attempts = ?, started_at = ?, duration_ms = ?, leaf = ?,"
    " transaction_id = ?, rows_pre = ?, rows_returned = ?, rows_post = ?, updated = ?, inserted = ?,"
    " deleted = ?, unchanged = ?, missing = ?, unexpected = ?, first_change = ?, last_change = ?, witness = ?"
    " WHERE id = ?";

std::vector<std::string> column_types(const std::vector<Column>& columns) {
    std::vector<std::string> types;
    types.reserve(columns.size());
    for (const Column& column : columns) types.push_back(column.type);
    return types;
}

}  // namespace

template <class Work>
void BatchWriter::transact(const std::vector<RecordedBatch*>& batches, Work&& work) {
    const std::map<int, StepNames> steps = m_steps;
    std::vector<RecordedBatch::Place> places;
    for (const RecordedBatch* batch : batches) places.push_back(batch->place);
    try {
        m_ledger.transact([&] {
            m_owner.require();
            work();
        });
    } catch (...) {
        m_steps = steps;
        for (std::size_t i = 0; i < batches.size(); ++i) batches[i]->place = places[i];
        throw;
    }
}

void BatchWriter::prepare(const std::vector<PreparedBatches>& transactions) {
    std::vector<RecordedBatch*> batches;
    for (const PreparedBatches& transaction : transactions)
        batches.insert(batches.end(), transaction.batches.begin(), transaction.batches.end());
    transact(batches, [&] {
        write_settled();
        for (const PreparedBatches& transaction : transactions) {
            for (RecordedBatch* batch : transaction.batches) write(*batch, transaction.transaction);
        }
        failpoint("ledger.staged");
    });
    settled_are_durable();
    for (RecordedBatch* batch : batches) {
        m_undecided.push_back({batch->place.id, batch->step(), batch->path()});
        batch->written(true);
    }
    failpoint("ledger.prepared");
}

void BatchWriter::spill(RecordedBatch& batch) {
    transact({&batch}, [&] {
        insert_batch(batch);
        insert_blocks(batch);
        m_ledger.execute("UPDATE batch SET first_change = ?, last_change = ? WHERE id = ?",
                         batch.place.first_change, batch.place.last_change, batch.place.id);
    });
    batch.written(false);
}

void BatchWriter::drop(const RecordedBatch& batch) {
    transact({}, [&] { drop_batch(m_ledger, batch.place.id); });
}

void BatchWriter::write(RecordedBatch& batch, const std::string& transaction) {
    insert_batch(batch);
    learn_columns(batch.step(), batch.columns());
    insert_blocks(batch);
    const BatchRecord& record = batch.record();
    const RowCounts& counts = batch.counts();
    m_ledger.execute(complete_batch_sql, batch.rows(), record.attempts, record.started_at, record.duration_ms,
                     batch.leaf(), nullable(transaction), counts.pre, counts.change, counts.post,
                     counts.updated, counts.inserted, counts.deleted, counts.unchanged, counts.missing,
                     counts.unexpected, batch.place.first_change, batch.place.last_change,
                     nullable(record.witness), batch.place.id);
    for (const Collateral& table : record.collateral) {
        insert_collateral(m_ledger, m_run_id, batch.step(), batch.path(), {table});
    }
    if (!record.conflicts.empty()) insert_conflicts(m_ledger, m_run_id, batch.path(), record.conflicts);
}

void BatchWriter::insert_batch(RecordedBatch& batch) {
    if (batch.place.id != 0) return;  // it was spilled
    SQLite::Statement& insert = m_ledger.bound(insert_batch_sql, m_run_id, batch.step(), batch.path(),
                                               batch.lower_key(), batch.upper_key());
    if (!insert.executeStep()) {
        throw Error(ExitCode::unreachable,
                    fmt::format("the ledger has batch {} of step {} already, and it may be committed",
                                batch.path(), batch.step()),
                    "Nothing is recorded twice: what became of the batch must be decided first.");
    }
    batch.place.id = insert.getColumn(0).getInt64();
    insert.reset();
}

void BatchWriter::insert_blocks(RecordedBatch& batch) {
    for (const Block& block : batch.blocks()) {
        const std::int64_t first = insert_block(m_ledger, batch.place.id, block);
        if (!batch.place.first_change) batch.place.first_change = first;
        batch.place.last_change = first + static_cast<std::int64_t>(block.rows) - 1;
    }
}

void BatchWriter::learn_columns(int step, const StepColumns& columns) {
    StepNames& names = m_steps.at(step);
    learn_columns_of(step, names.before, columns.before, "before");
    learn_columns_of(step, names.after, columns.after, "after");
    std::vector<Names> returned;
    bool known = false;
    for (const auto& statement : columns.returned) {
        returned.push_back(column_names(statement));
        known = known || !statement.empty();
    }
    if (!known || names.returned == returned) return;
    if (!names.returned.empty()) {
        throw Error(ExitCode::unreachable,
                    fmt::format("step {} returns other columns than in its first batch", step),
                    "The schema was changed while the run went on.");
    }
    Names name_lists, type_lists;
    for (const auto& statement : columns.returned) {
        name_lists.push_back(json_array_of_strings(column_names(statement)));
        type_lists.push_back(json_array_of_strings(column_types(statement)));
    }
    m_ledger.execute(
        "UPDATE steps SET returned_columns = ?, returned_types = ? WHERE run_id = ? AND step = ?",
        "[" + join(name_lists, ",") + "]", "[" + join(type_lists, ",") + "]", m_run_id, step);
    names.returned = returned;
}

void BatchWriter::learn_columns_of(int step, Names& known, const std::vector<Column>& columns,
                                   const std::string& moment) {
    const Names names = column_names(columns);
    if (names.empty() || names == known) return;
    if (!known.empty()) {
        throw Error(ExitCode::unreachable,
                    fmt::format("step {} has other columns {} than in its first batch: {} instead of {}",
                                step, moment, join(names, ", "), join(known, ", ")),
                    "The schema was changed while the run went on.");
    }
    m_ledger.execute(
        fmt::format("UPDATE steps SET {0}_columns = ?, {0}_types = ? WHERE run_id = ? AND step = ?", moment),
        json_array_of_strings(names), json_array_of_strings(column_types(columns)), m_run_id, step);
    known = names;
}

std::vector<BatchWriter::BatchRow> BatchWriter::take_undecided(const std::vector<CommittedBatch>& batches) {
    const auto meant = [&](const BatchRow& row) {
        return std::any_of(batches.begin(), batches.end(), [&](const CommittedBatch& batch) {
            return batch.step == row.step && batch.batch == row.batch;
        });
    };
    const auto rest = std::stable_partition(m_undecided.begin(), m_undecided.end(), meant);
    std::vector<BatchRow> rows(m_undecided.begin(), rest);
    m_undecided.erase(m_undecided.begin(), rest);
    return rows;
}

void BatchWriter::settle(Outcome outcome, const std::vector<CommittedBatch>& batches) {
    std::vector<BatchRow> rows = take_undecided(batches);
    switch (outcome) {
        case Outcome::committed:
            m_settled.insert(m_settled.end(), rows.begin(), rows.end());
            break;
        case Outcome::in_doubt:
            m_ledger.transact([&] {
                m_owner.require();
                for (const BatchRow& row : rows) set_batch_state(m_ledger, row.id, "unknown");
            });
            m_undecided.insert(m_undecided.end(), rows.begin(), rows.end());  // until it is decided
            break;
        case Outcome::rolled_back:
            m_ledger.transact([&] {
                m_owner.require();
                for (const BatchRow& row : rows) drop_batch(m_ledger, row.id);
            });
            break;
    }
    failpoint("ledger.settled");
}

void BatchWriter::write_settled() {
    for (const BatchRow& row : m_settled) set_batch_state(m_ledger, row.id, "committed");
}

void BatchWriter::reopen_step(int step, Names before, Names after, std::vector<Names> returned) {
    m_steps[step] = {std::move(before), std::move(after), std::move(returned)};
}

void set_batch_state(Ledger& ledger, std::int64_t batch_id, const char* state) {
    ledger.execute("UPDATE batch SET state = ? WHERE id = ?", state, batch_id);
}

void drop_batch(Ledger& ledger, std::int64_t batch_id) {
    ledger.execute(
        "DELETE FROM block WHERE batch_id = ?1 AND id BETWEEN (SELECT first_change FROM batch WHERE id = ?1)"
        " AND (SELECT last_change FROM batch WHERE id = ?1)",
        batch_id);
    ledger.execute(
        "DELETE FROM collateral WHERE (run_id, step, batch) = (SELECT run_id, step, batch FROM batch WHERE "
        "id = ?)",
        batch_id);
    ledger.execute(
        "DELETE FROM conflicts WHERE (run_id, step, batch) = (SELECT run_id, step, batch FROM batch WHERE "
        "id = ?)",
        batch_id);
    ledger.execute(
        "UPDATE batch SET state = 'rolled_back', leaf = NULL, first_change = NULL, last_change = NULL WHERE "
        "id = ?",
        batch_id);
}

std::int64_t insert_block(Ledger& ledger, std::int64_t batch_id, const Block& block,
                          std::optional<std::int64_t> first) {
    SQLite::Statement& insert = ledger.statement(
        "INSERT INTO block(id, batch_id, rows, lowest, highest, identifiers, actions, before, after, "
        "returned,"
        " new_identifiers) VALUES (coalesce(?, (SELECT id + rows FROM block ORDER BY id DESC LIMIT 1), 1), ?,"
        " ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    // the block outlives the execution, so that its texts need not be copied
    const auto bind_text = [&insert](int place, const std::string& text) {
        text.empty() ? insert.bind(place) : insert.bindNoCopy(place, text);
    };
    bind_value(insert, 1, first);
    insert.bind(2, batch_id);
    insert.bind(3, static_cast<std::int64_t>(block.rows));
    insert.bindNoCopy(4, block.lowest);
    insert.bindNoCopy(5, block.highest);
    insert.bindNoCopy(6, block.identifiers);
    insert.bindNoCopy(7, block.actions);
    bind_text(8, block.before);
    bind_text(9, block.after);
    bind_text(10, block.returned);
    bind_text(11, block.new_identifiers);
    insert.exec();
    insert.reset();
    return ledger.last_id();
}

}  // namespace datachange
