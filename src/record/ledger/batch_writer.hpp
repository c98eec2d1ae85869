#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"
#include "record/ledger/ownership.hpp"
#include "record/ledger/recorded_batch.hpp"
#include "run/journal.hpp"

namespace datachange {

/// Batches of one transaction of the target, to be made durable.
struct PreparedBatches {
    std::vector<RecordedBatch*> batches;
    std::string transaction;  ///< the target's number for it
};

/// Writes the batches of one run to the ledger, and keeps track of what has become of them. Throws
/// SQLite::Exception, and Error where the caller breaks the order of calls or somebody else has taken the run
/// over.
class BatchWriter {
public:
    using Names = std::vector<std::string>;

    BatchWriter(Ledger& ledger, const Ownership& owner, std::int64_t run_id)
        : m_ledger(ledger), m_owner(owner), m_run_id(run_id) {}

    void add_step(int step) { m_steps[step]; }
    /// The same for a step that may have batches, with the columns that these have told.
    void reopen_step(int step, Names before, Names after, std::vector<Names> returned);

    /// Makes batches durable, state 'prepared': those of several transactions of the target in one of the
    /// ledger.
    void prepare(const std::vector<PreparedBatches>& transactions);
    /// Writes what a batch that is not complete holds, state 'writing'.
    void spill(RecordedBatch& batch);
    /// Takes a batch that was spilled, and not prepared, out again.
    void drop(const RecordedBatch& batch);
    void settle(Outcome outcome, const std::vector<CommittedBatch>& batches);
    /// Writes the states that settle() has only noted, into the open transaction.
    void write_settled();
    /// Forgets what write_settled() wrote; to be called when that is committed.
    void settled_are_durable() { m_settled.clear(); }

private:
    /// Columns of a step, as the first batch that had some gave them.
    struct StepNames {
        Names before, after;
        std::vector<Names> returned;  ///< one list a statement
    };
    struct BatchRow {
        std::int64_t id;
        int step;
        std::string batch;
    };

    /// Runs work in one transaction of the ledger; if that fails, what the steps and batches have been told
    /// in it goes with it.
    template <class Work>
    void transact(const std::vector<RecordedBatch*>& batches, Work&& work);
    std::vector<BatchRow> take_undecided(const std::vector<CommittedBatch>& batches);
    void write(RecordedBatch& batch, const std::string& transaction);
    void insert_batch(RecordedBatch& batch);
    void insert_blocks(RecordedBatch& batch);
    void learn_columns(int step, const StepColumns& columns);
    void learn_columns_of(int step, Names& known, const std::vector<Column>& columns,
                          const std::string& moment);

    Ledger& m_ledger;
    Ownership m_owner;
    std::int64_t m_run_id;
    std::map<int, StepNames> m_steps;
    std::vector<BatchRow> m_undecided;  ///< prepared, and the target has not answered, or not clearly
    std::vector<BatchRow> m_settled;    ///< committed, which the next transaction writes
};

/// Deletes what a batch has left but its number, state 'rolled_back'; in the open transaction.
void drop_batch(Ledger& ledger, std::int64_t batch_id);
void set_batch_state(Ledger& ledger, std::int64_t batch_id, const char* state);
/// Puts a block behind the last one, or where its first row has a number already, there.
/// @return the number of its first row.
std::int64_t insert_block(Ledger& ledger, std::int64_t batch_id, const Block& block,
                          std::optional<std::int64_t> first = std::nullopt);

}  // namespace datachange
