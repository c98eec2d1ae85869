#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"
#include "record/ledger/ownership.hpp"
#include "record/ledger/stored_row.hpp"
#include "run/journal.hpp"

namespace datachange {

/// Writes the batches of one run and their rows, and keeps track of what has become of them. Throws
/// SQLite::Exception, and Error where the caller breaks the order of calls or somebody else has taken the run
/// over.
class BatchWriter {
public:
    using Names = std::vector<std::string>;

    BatchWriter(Ledger& ledger, const Ownership& owner, std::int64_t run_id, std::string uuid)
        : m_ledger(ledger), m_owner(owner), m_run_id(run_id), m_uuid(std::move(uuid)) {}

    void add_step(const StepHeader& header) { m_steps[header.number].header = header; }
    /// The same for a step that may have batches, with the columns that these have told.
    void reopen_step(const StepHeader& header, Names before, Names after, std::vector<Names> returned);

    /// Writes a batch and its rows into the open transaction, which begins with the first. @return its leaf.
    std::string stage(const BatchRecord& record);
    /// Commits what was staged.
    void prepare(const std::string& transaction_id);
    void discard() noexcept;
    void settle(Outcome outcome, const std::vector<CommittedBatch>& batches);
    /// Writes the states that settle() has only noted, into the open transaction.
    void write_settled();
    /// Forgets what write_settled() wrote; to be called when that is committed.
    void settled_are_durable() { m_settled.clear(); }

private:
    struct StepState {
        StepHeader header;
        Names before, after;          ///< columns as the first batch that had some gave them
        std::vector<Names> returned;  ///< one list a statement
    };
    struct BatchRow {
        std::int64_t id;
        int step;
        std::string batch;
        bool in_doubt = false;
    };

    std::vector<BatchRow> take_undecided(const std::vector<CommittedBatch>& batches);
    std::int64_t insert_batch(const BatchRecord& record);
    void learn_columns(StepState& step, const RowEncoder& encoder);
    void learn_columns_of(const StepState& step, Names& known, const std::vector<Column>& columns,
                          const std::string& moment);

    Ledger& m_ledger;
    Ownership m_owner;
    std::int64_t m_run_id;
    std::string m_uuid;
    std::map<int, StepState> m_steps;
    std::map<int, StepState> m_durable_steps;  ///< as they were when the open transaction began
    std::vector<BatchRow> m_staged;
    std::vector<BatchRow> m_undecided;  ///< prepared, and the target has not answered, or not clearly
    std::vector<BatchRow> m_settled;    ///< committed, which the next transaction writes
};

/// Deletes what a batch has left but its number, state 'rolled_back'; in the open transaction.
void drop_batch(Ledger& ledger, std::int64_t batch_id);
void set_batch_state(Ledger& ledger, std::int64_t batch_id, const char* state);

}  // namespace datachange
