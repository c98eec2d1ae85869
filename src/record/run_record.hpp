#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/task_thread.hpp"
#include "record/csv/live_csv.hpp"
#include "record/csv/run_folder.hpp"
#include "record/ledger/batch_writer.hpp"
#include "record/ledger/ledger.hpp"
#include "record/ledger/prepare_queue.hpp"
#include "record/ledger/spool.hpp"
#include "run/journal.hpp"

namespace datachange {

/// Records a run in a ledger, and renders its CSV files.
///
/// The ledger is used by one thread alone, which writes what workers hand to it, in the order in which it
/// comes; what several of them bring while it is busy goes to the disk together. The files of a run that was
/// begun here are rendered while it goes on; those of a run that was gone on with, when it ends.
class RunRecord : public Journal {
public:
    /// @throws Error (unreachable)
    RunRecord(Ledger ledger, std::string csv_dir);

    std::int64_t begin_run(const RunHeader& header) override;
    void begin_step(const StepHeader& header) override;
    PriorEvidence resume_run(const RunHeader& header, const std::vector<StepHeader>& steps,
                             const std::vector<CommittedBatch>& committed) override;
    std::int64_t known_epoch(const std::string& uuid) override;
    std::string known_redaction_key(const std::string& uuid) override;
    std::string ledger_uuid() const override { return m_ledger_uuid; }
    void handed_out(int step, const std::string& batch) override;
    void done_with(int step, const std::string& batch) override;
    void step_done(int step) override;
    std::unique_ptr<BatchEvidence> open_batch(int step, const std::string& batch,
                                              const KeyRange& range) override;
    void prepare(std::vector<std::unique_ptr<BatchEvidence>> batches,
                 const std::string& transaction_id) override;
    void settle(Outcome outcome, const std::vector<CommittedBatch>& batches) override;
    void summary(int step, const std::string& moment, const RowSet& result) override;
    void event(const std::string& kind, const std::string& detail) override;
    void failure(const RowFailure& failure) override;
    void failure_resolved(int step, const std::string& identifier) override;
    std::vector<RowFailure> failures() override;
    void conflicts(const std::vector<RowConflict>& conflicts) override;
    void state(const std::string& state) override;
    void spool(int step, const RowSet& rows) override;
    RowSet spooled(int step, std::uint64_t from, std::uint64_t count) override;
    std::uint64_t spool_size(int step) override;
    void drop_spool(int step) override;
    std::vector<CsvPaths> finish(const Finish& finish) override;
    std::string csv_directory() const override { return m_folder ? m_folder->path() : ""; }
    std::string identifiers_sha256(int step) override;

private:
    /// A complete CSV file that has no name yet.
    struct StepFile {
        int step;
        std::unique_ptr<CsvFile> csv;
    };
    using BatchName = std::pair<int, std::string>;

    /// Runs work in the ledger's thread, and waits for it. A failure of SQLite becomes an Error.
    template <class Work>
    decltype(auto) in_ledger(Work&& work, const char* kept = LedgerStake::before_commit);
    /// The same for work that writes, in one transaction that nobody else's epoch can come in between.
    template <class Work>
    void owned(Work&& work);
    void open_folder(const RunHeader& header);
    void own(const RunHeader& header);
    void reopen_step(const StepHeader& header);
    void follow();
    void drop(const RecordedBatch& batch) noexcept;
    void follow_settled(Outcome outcome, const std::vector<CommittedBatch>& batches);
    void end_in_ledger(const Finish& finish);
    std::map<int, std::uint64_t> committed_batches();
    std::map<int, StepCsv> rendered();
    std::vector<CsvPaths> render();
    void publish(std::vector<StepFile>& files);
    const StepHeader& step(int number) const;
    std::string file_prefix(const StepHeader& step) const;

    Ledger m_ledger;
    std::string m_ledger_uuid, m_csv_dir, m_uuid;
    std::int64_t m_run_id = 0;
    bool m_ended = false;
    bool m_resumable = false;  ///< when it had ended
    std::vector<StepHeader> m_steps;
    std::optional<RunFolder> m_folder;
    std::optional<Ownership> m_owner;
    std::optional<BatchWriter> m_batches;
    std::optional<Spool> m_spool;
    PrepareQueue m_queue;
    std::mutex m_mutex;
    std::map<BatchName, std::shared_ptr<const RecordedBatch>> m_prepared;  ///< and not settled
    std::optional<TaskThread> m_thread;                                    ///< uses the above
    std::unique_ptr<LiveCsv> m_live;  ///< uses the thread; none for a run that was gone on with
};

}  // namespace datachange
