#pragma once

#include <string>

#include "record/ledger/ledger.hpp"
#include "record/run_record.hpp"
#include "run/journal.hpp"

namespace datachange {

/// Records a dry run: in a scratch ledger, of which nothing is left but the CSV files; the real one is told
/// that the run took place.
class RehearsalRecord : public Journal {
public:
    /// @throws Error (unreachable)
    RehearsalRecord(Ledger ledger, std::string csv_dir)
        : m_ledger(std::move(ledger)),
          m_ledger_uuid(m_ledger.guarded([&] { return m_ledger.uuid(); })),
          m_scratch(Ledger::scratch(), std::move(csv_dir)) {}

    std::int64_t begin_run(const RunHeader& header) override;
    void begin_step(const StepHeader& header) override { m_scratch.begin_step(header); }
    /// A dry run leaves nothing to go on with. @throws std::logic_error
    PriorEvidence resume_run(const RunHeader& header, const std::vector<StepHeader>& steps,
                             const std::vector<CommittedBatch>& committed) override;
    std::int64_t known_epoch(const std::string&) override { return 0; }
    std::string known_redaction_key(const std::string&) override { return {}; }
    std::string ledger_uuid() const override { return m_ledger_uuid; }
    void handed_out(int step, const std::string& batch) override { m_scratch.handed_out(step, batch); }
    void done_with(int step, const std::string& batch) override { m_scratch.done_with(step, batch); }
    void step_done(int step) override { m_scratch.step_done(step); }
    std::unique_ptr<BatchEvidence> open_batch(int step, const std::string& batch,
                                              const KeyRange& range) override {
        return m_scratch.open_batch(step, batch, range);
    }
    void prepare(std::vector<std::unique_ptr<BatchEvidence>> batches,
                 const std::string& transaction_id) override {
        m_scratch.prepare(std::move(batches), transaction_id);
    }
    /// The target is rolled back whatever happens, so every batch counts.
    void settle(Outcome, const std::vector<CommittedBatch>& batches) override {
        m_scratch.settle(Outcome::committed, batches);
    }
    void summary(int step, const std::string& moment, const RowSet& result) override {
        m_scratch.summary(step, moment, result);
    }
    void event(const std::string& kind, const std::string& detail) override { m_scratch.event(kind, detail); }
    void failure(const RowFailure& failure) override { m_scratch.failure(failure); }
    void failure_resolved(int step, const std::string& identifier) override {
        m_scratch.failure_resolved(step, identifier);
    }
    std::vector<RowFailure> failures() override { return m_scratch.failures(); }
    void conflicts(const std::vector<RowConflict>& conflicts) override { m_scratch.conflicts(conflicts); }
    void state(const std::string& state) override { m_scratch.state(state); }
    void spool(int step, const RowSet& rows) override { m_scratch.spool(step, rows); }
    RowSet spooled(int step, std::uint64_t from, std::uint64_t count) override {
        return m_scratch.spooled(step, from, count);
    }
    std::uint64_t spool_size(int step) override { return m_scratch.spool_size(step); }
    void drop_spool(int step) override { m_scratch.drop_spool(step); }
    std::vector<CsvPaths> finish(const Finish& finish) override;
    std::string csv_directory() const override { return m_scratch.csv_directory(); }
    std::string identifiers_sha256(int step) override { return m_scratch.identifiers_sha256(step); }

private:
    void write_note() const;
    void tell_ledger(const Finish& finish);

    Ledger m_ledger;
    std::string m_ledger_uuid;
    RunRecord m_scratch;
    RunHeader m_header;
    bool m_told = false;
};

}  // namespace datachange
