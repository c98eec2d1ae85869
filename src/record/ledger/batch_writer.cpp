#include "record/ledger/batch_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/failpoint.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"
#include "record/ledger/field_hash.hpp"

namespace datachange {

namespace {

// A batch that was rolled back may be tried again under its name; one that may have been committed may not.
constexpr const char* insert_batch_sql =
    "INSERT INTO batch(run_id, step, batch, state, lower_key, upper_key, rows, attempts, started_at, "
    "duration_ms,"
    " rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing, unexpected, "
    "witness)"
    " VALUES (?, ?, ?, 'prepared', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(run_id, step, batch) DO UPDATE SET state = excluded.state, lower_key = excluded.lower_key,"
    " upper_key = excluded.upper_key, rows = excluded.rows, attempts = excluded.attempts,"
    " started_at = excluded.started_at, duration_ms = excluded.duration_ms, rows_pre = excluded.rows_pre,"
    " rows_returned = excluded.rows_returned, rows_post = excluded.rows_post, updated = excluded.updated,"
    " inserted = excluded.inserted, deleted = excluded.deleted, unchanged = excluded.unchanged,"
    " missing = excluded.missing, unexpected = excluded.unexpected, witness = excluded.witness"
    " WHERE batch.state = 'rolled_back' RETURNING id";

constexpr const char* insert_change_sql =
    "INSERT INTO change(batch_id, action, identifier, new_identifier, before, after, returned)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)";

std::optional<std::string> bound_json(const std::optional<Key>& bound) {
    return bound ? std::optional{json_array(*bound)} : std::nullopt;
}

void hash_text(FieldHash& hash, const std::optional<std::string>& text) {
    text ? hash.text(*text) : hash.null();
}

void hash_or_null(FieldHash& hash, const std::string& text) {
    text.empty() ? hash.null() : hash.text(text);
}

/// What comes before the rows in a leaf; see README.md.
void hash_batch(FieldHash& hash, const std::string& uuid, const BatchRecord& record) {
    hash.text("datachange leaf 1");
    hash.text(uuid);
    hash.number(record.step);
    hash.text(record.batch);
    hash_text(hash, bound_json(record.range.after));
    hash_text(hash, bound_json(record.range.upto));
    const RowCounts& counts = record.capture->counts;
    for (const std::uint64_t count : {counts.pre, counts.change, counts.post, counts.updated, counts.inserted,
                                      counts.deleted, counts.unchanged, counts.missing, counts.unexpected}) {
        hash.number(static_cast<std::int64_t>(count));
    }
}

void hash_row(FieldHash& hash, const StoredRow& row) {
    hash.number(row.action);
    hash.text(row.identifier);
    hash_or_null(hash, row.new_identifier);
    hash_or_null(hash, row.before);
    hash_or_null(hash, row.after);
    hash_or_null(hash, row.returned);
}

/// The row's strings outlive the execution, so that they need not be copied.
void insert_row(SQLite::Statement& insert, std::int64_t batch_id, const StoredRow& row) {
    const auto bind = [&insert](int place, const std::string& text) {
        text.empty() ? insert.bind(place) : insert.bindNoCopy(place, text);
    };
    insert.bind(1, batch_id);
    insert.bind(2, row.action);
    insert.bindNoCopy(3, row.identifier);
    bind(4, row.new_identifier);
    bind(5, row.before);
    bind(6, row.after);
    bind(7, row.returned);
    insert.exec();
    insert.reset();
}

std::vector<std::string> column_types(const std::vector<Column>& columns) {
    std::vector<std::string> types;
    types.reserve(columns.size());
    for (const Column& column : columns) types.push_back(column.type);
    return types;
}

}  // namespace

std::string BatchWriter::stage(const BatchRecord& record) {
    StepState& step = m_steps.at(record.step);
    if (!m_ledger.in_transaction()) {
        m_durable_steps = m_steps;
        m_ledger.begin();
        m_owner.require();
        write_settled();
    }
    const std::int64_t batch_id = insert_batch(record);
    m_staged.push_back({batch_id, record.step, record.batch, false});
    RowEncoder encoder(*record.capture, step.header.identifier, step.header.evidence == "keys");
    FieldHash hash;
    hash_batch(hash, m_uuid, record);
    std::optional<std::int64_t> first, last;
    if (step.header.evidence != "counts") {
        learn_columns(step, encoder);
        SQLite::Statement& insert = m_ledger.statement(insert_change_sql);
        for (const AuditedRow& audited : record.capture->rows) {
            const StoredRow& row = encoder.encode(audited);
            hash_row(hash, row);
            insert_row(insert, batch_id, row);
            last = m_ledger.last_id();
            if (!first) first = last;
        }
    }
    std::string leaf = hash.finish();
    m_ledger.execute("UPDATE batch SET leaf = ?, first_change = ?, last_change = ? WHERE id = ?", leaf, first,
                     last, batch_id);
    failpoint("ledger.staged");
    return leaf;
}

std::int64_t BatchWriter::insert_batch(const BatchRecord& record) {
    const RowCounts& counts = record.capture->counts;
    SQLite::Statement& insert = m_ledger.bound(
        insert_batch_sql, m_run_id, record.step, record.batch, bound_json(record.range.after),
        bound_json(record.range.upto), record.capture->rows.size(), record.attempts, record.started_at,
        record.duration_ms, counts.pre, counts.change, counts.post, counts.updated, counts.inserted,
        counts.deleted, counts.unchanged, counts.missing, counts.unexpected, nullable(record.witness));
    if (!insert.executeStep()) {
        throw Error(ExitCode::unreachable,
                    fmt::format("the ledger has batch {} of step {} already, and it may be committed",
                                record.batch, record.step),
                    "Nothing is recorded twice: what became of the batch must be decided first.");
    }
    const std::int64_t id = insert.getColumn(0).getInt64();
    insert.reset();
    return id;
}

void BatchWriter::learn_columns(StepState& step, const RowEncoder& encoder) {
    learn_columns_of(step, step.before, encoder.before_columns(), "before");
    learn_columns_of(step, step.after, encoder.after_columns(), "after");
    const auto returned = encoder.returned_columns();
    std::vector<Names> names;
    bool known = false;
    for (const auto& columns : returned) {
        names.push_back(column_names(columns));
        known = known || !columns.empty();
    }
    if (!known || step.returned == names) return;
    if (!step.returned.empty()) {
        throw Error(ExitCode::unreachable,
                    fmt::format("step {} returns other columns than in its first batch", step.header.number),
                    "The schema was changed while the run went on.");
    }
    Names name_lists, type_lists;
    for (const auto& columns : returned) {
        name_lists.push_back(json_array_of_strings(column_names(columns)));
        type_lists.push_back(json_array_of_strings(column_types(columns)));
    }
    m_ledger.execute(
        "UPDATE steps SET returned_columns = ?, returned_types = ? WHERE run_id = ? AND step = ?",
        "[" + join(name_lists, ",") + "]", "[" + join(type_lists, ",") + "]", m_run_id, step.header.number);
    step.returned = names;
}

void BatchWriter::learn_columns_of(const StepState& step, Names& known, const std::vector<Column>& columns,
                                   const std::string& moment) {
    const Names names = column_names(columns);
    if (names.empty() || names == known) return;
    if (!known.empty()) {
        throw Error(ExitCode::unreachable,
                    fmt::format("step {} has other columns {} than in its first batch: {} instead of {}",
                                step.header.number, moment, join(names, ", "), join(known, ", ")),
                    "The schema was changed while the run went on.");
    }
    m_ledger.execute(
        fmt::format("UPDATE steps SET {0}_columns = ?, {0}_types = ? WHERE run_id = ? AND step = ?", moment),
        json_array_of_strings(names), json_array_of_strings(column_types(columns)), m_run_id,
        step.header.number);
    known = names;
}

void BatchWriter::prepare(const std::string& transaction_id) {
    if (m_staged.empty()) return;
    for (const BatchRow& row : m_staged) {
        m_ledger.execute("UPDATE batch SET transaction_id = ? WHERE id = ?", nullable(transaction_id),
                         row.id);
    }
    m_ledger.commit();
    settled_are_durable();
    m_undecided.insert(m_undecided.end(), m_staged.begin(), m_staged.end());
    m_staged.clear();
    failpoint("ledger.prepared");
}

void BatchWriter::discard() noexcept {
    if (m_staged.empty() && !m_ledger.in_transaction()) return;
    m_ledger.rollback();
    m_steps.swap(m_durable_steps);
    m_staged.clear();
}

std::vector<BatchWriter::BatchRow> BatchWriter::take_undecided(const std::vector<CommittedBatch>& batches) {
    const bool answered = std::any_of(m_undecided.begin(), m_undecided.end(),
                                      [](const BatchRow& row) { return !row.in_doubt; });
    const auto meant = [&](const BatchRow& row) {
        if (batches.empty()) return row.in_doubt != answered;
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
            for (BatchRow& row : rows) {
                row.in_doubt = true;
                m_undecided.push_back(std::move(row));
            }
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

void BatchWriter::reopen_step(const StepHeader& header, Names before, Names after,
                              std::vector<Names> returned) {
    m_steps[header.number] = {header, std::move(before), std::move(after), std::move(returned)};
}

void set_batch_state(Ledger& ledger, std::int64_t batch_id, const char* state) {
    ledger.execute("UPDATE batch SET state = ? WHERE id = ?", state, batch_id);
}

void drop_batch(Ledger& ledger, std::int64_t batch_id) {
    ledger.execute(
        "DELETE FROM change WHERE id BETWEEN (SELECT first_change FROM batch WHERE id = ?1)"
        " AND (SELECT last_change FROM batch WHERE id = ?1)",
        batch_id);
    ledger.execute(
        "DELETE FROM collateral WHERE (run_id, step, batch) = (SELECT run_id, step, batch FROM batch WHERE "
        "id = ?)",
        batch_id);
    ledger.execute(
        "UPDATE batch SET state = 'rolled_back', leaf = NULL, first_change = NULL, last_change = NULL WHERE "
        "id = ?",
        batch_id);
}

}  // namespace datachange
