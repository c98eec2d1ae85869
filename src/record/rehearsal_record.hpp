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
    RehearsalRecord(Ledger ledger, std::string csv_dir)
        : m_ledger(std::move(ledger)), m_scratch(Ledger::scratch(), std::move(csv_dir)) {}

    std::int64_t begin_run(const RunHeader& header) override;
    void begin_step(const StepHeader& header) override { m_scratch.begin_step(header); }
    PriorEvidence resume_run(const RunHeader&, const std::vector<StepHeader>&,
                             const std::vector<CommittedBatch>&) override { return {}; }
    std::string ledger_uuid() const override { return {}; }
    void failure(const RowFailure&) override {}
    void failure_resolved(int, const std::string&) override {}
    std::vector<RowFailure> failures() override { return {}; }
    void state(const std::string&) override {}
    std::uint64_t spool_size(int) override { return 0; }
    void drop_spool(int) override {}
    std::string stage(const BatchRecord& batch) override { return m_scratch.stage(batch); }
    void prepare(const std::string& transaction_id) override;
    void discard() noexcept override { m_scratch.discard(); }
    void settle(Outcome) override {}
    void summary(int step, const std::string& moment, const RowSet& result) override {
        m_scratch.summary(step, moment, result);
    }
    void event(const std::string& kind, const std::string& detail) override { m_scratch.event(kind, detail); }
    void collateral(int step, const std::string& batch, const std::vector<Collateral>& tables) override {
        m_scratch.collateral(step, batch, tables);
    }
    void spool(int step, const RowSet& rows) override { m_scratch.spool(step, rows); }
    RowSet spooled(int step, std::uint64_t from, std::uint64_t count) override {
        return m_scratch.spooled(step, from, count);
    }
    std::vector<CsvPaths> finish(const Finish& finish) override;
    std::string csv_directory() const override { return m_scratch.csv_directory(); }

private:
    void write_note() const;
    void tell_ledger(const Finish& finish);

    Ledger m_ledger;
    RunRecord m_scratch;
    RunHeader m_header;
    bool m_told = false;
};

}  // namespace datachange
