#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "record/csv/run_folder.hpp"
#include "record/csv/step_csv.hpp"
#include "record/ledger/batch_writer.hpp"
#include "record/ledger/ledger.hpp"
#include "record/ledger/spool.hpp"
#include "run/journal.hpp"

namespace datachange {

/// Records a run in a ledger, and renders its CSV files from there.
class RunRecord : public Journal {
public:
    /// @throws Error (unreachable)
    RunRecord(Ledger ledger, std::string csv_dir);

    std::int64_t begin_run(const RunHeader& header) override;
    void begin_step(const StepHeader& header) override;
    PriorEvidence resume_run(const RunHeader& header, const std::vector<StepHeader>& steps,
                             const std::vector<CommittedBatch>& committed) override;
    std::int64_t known_epoch(const std::string& uuid) override;
    std::string ledger_uuid() const override { return m_ledger_uuid; }
    std::string stage(const BatchRecord& batch) override;
    void prepare(const std::string& transaction_id) override;
    void discard() noexcept override;
    void settle(Outcome outcome, const std::vector<CommittedBatch>& batches) override;
    void summary(int step, const std::string& moment, const RowSet& result) override;
    void event(const std::string& kind, const std::string& detail) override;
    void failure(const RowFailure& failure) override;
    void failure_resolved(int step, const std::string& identifier) override;
    std::vector<RowFailure> failures() override;
    void state(const std::string& state) override;
    void collateral(int step, const std::string& batch, const std::vector<Collateral>& tables) override;
    void spool(int step, const RowSet& rows) override;
    RowSet spooled(int step, std::uint64_t from, std::uint64_t count) override;
    std::uint64_t spool_size(int step) override;
    void drop_spool(int step) override;
    std::vector<CsvPaths> finish(const Finish& finish) override;
    std::string csv_directory() const override { return m_folder ? m_folder->path() : ""; }

private:
    /// A complete CSV file that has no name yet.
    struct StepFile {
        int step;
        std::unique_ptr<CsvFile> csv;
    };

    /// Runs work that writes, in one transaction that nobody else's epoch can come in between.
    template <class Work>
    void owned(Work&& work) {
        m_ledger.guarded([&] {
            m_ledger.transact([&] {
                m_owner->require();
                work();
            });
        });
    }
    void open_folder(const RunHeader& header);
    void own(const RunHeader& header);
    void reopen_step(const StepHeader& header);
    void end_in_ledger(const Finish& finish);
    std::vector<CsvPaths> render();
    void publish(std::vector<StepFile>& files);
    std::string file_prefix(const StepHeader& step) const;

    Ledger m_ledger;
    std::string m_ledger_uuid, m_csv_dir;
    std::int64_t m_run_id = 0;
    bool m_ended = false;
    bool m_resumable = false;  ///< when it had ended
    std::vector<StepHeader> m_steps;
    std::optional<RunFolder> m_folder;
    std::optional<Ownership> m_owner;
    std::optional<BatchWriter> m_batches;
    std::optional<Spool> m_spool;
};

}  // namespace datachange
