#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "record/ledger/block.hpp"
#include "record/ledger/field_hash.hpp"
#include "run/journal.hpp"

namespace datachange {

/// The columns of a step's sets, as its batches tell them.
struct StepColumns {
    std::vector<Column> before, after;
    std::vector<std::vector<Column>> returned;  ///< one list a statement
};

/// The evidence of one batch, encoded as the ledger has it. Made in the thread of the worker that did the
/// batch, so that encoding and hashing run beside each other; the ledger's own thread only writes.
class RecordedBatch final : public BatchEvidence {
public:
    /// Writes the blocks held so far to the ledger, for there are too many of them.
    using Spill = std::function<void(RecordedBatch&)>;
    /// Takes what was spilled out of the ledger again: the batch was not prepared.
    using Drop = std::function<void(const RecordedBatch&)>;

    RecordedBatch(const std::string& run_uuid, const StepHeader& step, std::string path,
                  const KeyRange& range, Spill spill, Drop drop);
    ~RecordedBatch() override;

    void add(const BatchCapture& rows) override;
    std::string close(const BatchRecord& record) override;

    int step() const { return m_step.number; }
    const std::string& path() const { return m_path; }
    const std::optional<std::string>& lower_key() const { return m_lower; }  ///< JSON array
    const std::optional<std::string>& upper_key() const { return m_upper; }
    const BatchRecord& record() const { return m_record; }  ///< good once the batch is closed
    const RowCounts& counts() const { return m_counts; }
    std::uint64_t rows() const { return m_rows; }
    const StepColumns& columns() const { return m_columns; }
    const std::string& leaf() const { return m_leaf; }
    const std::vector<Block>& blocks() const { return m_blocks; }
    bool spilled() const { return m_spilled; }

    /// Where it stands in the ledger, told by who writes it there.
    struct Place {
        std::int64_t id = 0;  ///< in the table `batch`; 0: it is not there yet
        std::optional<std::int64_t> first_change, last_change;
    };
    Place place;
    /// The blocks stand in the ledger. They are kept here for the CSV files, unless they were spilled.
    void written(bool prepared);

private:
    void encode(const BatchCapture& rows);
    void end_block();

    const StepHeader& m_step;
    std::string m_path;
    std::optional<std::string> m_lower, m_upper;
    Spill m_spill;
    Drop m_drop;
    StepColumns m_columns;
    BlockBuilder m_builder;
    std::vector<Block> m_blocks;
    std::size_t m_held = 0;  ///< bytes of them
    FieldHash m_hash;
    std::string m_leaf;
    RowCounts m_counts;
    std::uint64_t m_rows = 0;
    BatchRecord m_record;
    bool m_spilled = false;
    bool m_prepared = false;
};

}  // namespace datachange
