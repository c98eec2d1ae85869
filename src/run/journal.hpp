#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/batch_capture.hpp"
#include "core/row_set.hpp"
#include "datachange/run.hpp"
#include "run/admission.hpp"
#include "target/target.hpp"

namespace datachange {

/// The run is somebody else's now: nothing more of it may be changed or recorded here.
class TakenOver : public Error {
public:
    using Error::Error;
};

/// What is recorded of a run when it starts.
struct RunHeader {
    std::string uuid, version, name, definition, definition_sha256, definition_path;
    Engine engine = Engine::sqlite;
    std::string target;  ///< without password
    std::string operator_name, host, ticket, author, tool_version, server_version;
    std::string mode;  ///< single | batched
    bool dry_run = false;
    std::string started_at;    ///< utc_now()
    std::int64_t process = 0;  ///< the process on `host` that runs it
    std::int64_t epoch = 1;    ///< of the journal in the target; a run that was taken over has a greater one
    std::string reverses;      ///< UUID of the run that this one takes back; "": none
    std::string git_commit;    ///< that the definition was checked out from; "": not known
    std::string redaction_key = {};  ///< fingerprint of the key of its digests; "": nothing is redacted
    std::vector<UsedApproval> approvals = {};  ///< that it uses up
};

/// A committed batch as the journal in the target has it.
struct CommittedBatch {
    int step = 1;
    std::string batch;
    KeyRange range;
    std::uint64_t rows = 0;  ///< changed
    std::string leaf;        ///< SHA-256 of its evidence, hexadecimal
    std::string ledger;      ///< UUID of the ledger that has the evidence
};

/// What a ledger had of a run that goes on.
struct PriorEvidence {
    /// Of one step, over its committed batches.
    struct StepEvidence {
        int step = 1;
        RowCounts rows;
        std::uint64_t batches = 0;
    };

    std::int64_t run = 0;  ///< its number in this ledger
    bool known = false;    ///< this ledger had the run before
    std::string mode;      ///< single | batched, "" where it did not
    std::vector<StepEvidence> steps;
    std::vector<Collateral> collateral;     ///< by table, over all batches
    std::vector<CommittedBatch> elsewhere;  ///< in the journal, with the evidence in another ledger
    std::vector<CommittedBatch> lost;       ///< committed by this ledger, and not in the journal
    std::uint64_t found_committed = 0;      ///< batches in doubt that the journal has
    std::uint64_t found_rolled_back = 0;    ///< batches in doubt that it has not
    std::vector<std::string>
        summaries_before;  ///< one a step of the definition, as JSON; "" where there is none
};

/// A step of the run, or a watched table of one (numbered behind the steps).
struct StepHeader {
    int number = 1;
    int watch_of = 0;  ///< 0: a step of the definition; else the number of the step that watches
    std::string name, table;
    std::vector<std::string> identifier;
    std::string evidence = "full";      ///< full | keys | counts
    std::vector<std::string> redacted;  ///< columns of which only digests are kept
};

/// What is recorded of a batch besides its rows.
struct BatchRecord {
    int attempts = 1;
    std::string started_at;
    std::int64_t duration_ms = 0;
    std::string witness = "complete";  ///< complete | may overcount: why | unavailable: why
    std::vector<Collateral> collateral;
    std::vector<RowConflict> conflicts;  ///< of an undo
};

/// The evidence of one batch of a step or watched table, while it is put together. One that is given up
/// before it was prepared leaves nothing behind.
class BatchEvidence {
public:
    virtual ~BatchEvidence() = default;
    BatchEvidence() = default;
    BatchEvidence(const BatchEvidence&) = delete;
    BatchEvidence& operator=(const BatchEvidence&) = delete;

    /// Takes the next rows, in key order. They are encoded at once, in the caller's thread, and held in
    /// memory as long as there are few of them.
    virtual void add(const BatchCapture& rows) = 0;
    /// All rows are there. @return the leaf: SHA-256 of the batch's immutable fields, hexadecimal.
    virtual std::string close(const BatchRecord& record) = 0;
};

/// Where evidence is written. Everything here must succeed or the change stops: each call throws Error
/// (unreachable) if it does not.
///
/// Order of calls: begin_run, then begin_step once for each step, then for each transaction: open_batch for
/// each of its batches, prepare, and settle. finish ends the run. At any time: summary, event, spool.
///
/// Several threads may call it, once the steps have begun.
class Journal {
public:
    virtual ~Journal() = default;

    /// Opens everything that will be written, so that a bad path costs nothing. @return the run's number; 0
    /// in a dry run.
    virtual std::int64_t begin_run(const RunHeader& header) = 0;
    virtual void begin_step(const StepHeader& header) = 0;
    /// Instead of begin_run and begin_step: goes on with a run that stopped, or was taken over.
    ///
    /// Batches that this ledger has in doubt ('prepared', 'unknown') are decided: 'committed' where the
    /// journal has them with the same leaf, else dropped as 'rolled_back'. One that the ledger has as
    /// 'committed' and the journal lacks becomes 'lost': its rows stay, its name is never used again. Batches
    /// whose evidence is in another ledger are recorded as elsewhere, with that ledger's UUID, range and
    /// leaf. A run that this ledger does not know is entered. From here on only who holds header.epoch may
    /// write evidence of the run: calls of one with a smaller epoch throw Error (pending).
    virtual PriorEvidence resume_run(const RunHeader& header, const std::vector<StepHeader>& steps,
                                     const std::vector<CommittedBatch>& committed) = 0;
    /// The epoch at which the ledger has a run; 0 if it does not know it.
    /// @throws Error (failed) if it has dropped the run's values
    virtual std::int64_t known_epoch(const std::string& uuid) = 0;
    /// The fingerprint of the key that the ledger has a run's digests under; "" if it knows of none.
    virtual std::string known_redaction_key(const std::string& uuid) = 0;
    /// UUID of the ledger.
    virtual std::string ledger_uuid() const = 0;

    /// The batches of a step that follow come in this order: who renders the evidence goes by it. Waits while
    /// the rendering is far behind.
    virtual void handed_out(int step, const std::string& batch) = 0;
    /// Of what was handed out under this name nothing is left to be done; it may have been halved.
    virtual void done_with(int step, const std::string& batch) = 0;
    /// No batch of the step follows.
    virtual void step_done(int step) = 0;

    virtual std::unique_ptr<BatchEvidence> open_batch(int step, const std::string& batch,
                                                      const KeyRange& range) = 0;
    /// Makes the batches of one transaction durable, state 'prepared'.
    /// @param transaction_id of the target, kept for what is in doubt.
    virtual void prepare(std::vector<std::unique_ptr<BatchEvidence>> batches,
                         const std::string& transaction_id) = 0;
    /// What became of the prepared batches. committed: state 'committed', made durable with the next prepare
    /// or finish; rolled_back: their rows are dropped, state 'rolled_back'; in_doubt: state 'unknown'.
    /// @param batches that it is about, by step and name
    virtual void settle(Outcome outcome, const std::vector<CommittedBatch>& batches) = 0;

    /// @param moment "before" or "after"; the result as rows.
    virtual void summary(int step, const std::string& moment, const RowSet& result) = 0;
    virtual void event(const std::string& kind, const std::string& detail) = 0;
    /// A row that could not be changed; noted again, it replaces what was noted of it before.
    virtual void failure(const RowFailure& failure) = 0;
    /// The row was changed after all, by a later try: its failure is marked so, not deleted.
    virtual void failure_resolved(int step, const std::string& identifier) = 0;
    /// Rows of the run that could not be changed and were not later, oldest first.
    virtual std::vector<RowFailure> failures() = 0;
    /// Rows that keep an undo from going on, without a batch; forgotten when it goes on.
    virtual void conflicts(const std::vector<RowConflict>& conflicts) = 0;
    /// "paused" while the run waits, "processing" when it goes on.
    virtual void state(const std::string& state) = 0;

    /// Keeps keys and images of a set for batches by key list; pieces come in key order.
    virtual void spool(int step, const RowSet& rows) = 0;
    /// Rows [from, from + count) of what was spooled for the step, as they were.
    virtual RowSet spooled(int step, std::uint64_t from, std::uint64_t count) = 0;
    /// Rows that are spooled for the step.
    virtual std::uint64_t spool_size(int step) = 0;
    /// Forgets what is spooled for the step.
    virtual void drop_spool(int step) = 0;

    /// Ends the run: its state, counts and error in the ledger, the CSVs rendered and renamed to their names
    /// (for a failed run only where some batch was committed). @return the CSVs of each step, in the order of
    /// begin_step.
    struct Finish {
        std::string state;  ///< done | failed | stopped | cancelled
        std::string error;
        RowCounts rows;
        bool resumable = false;  ///< what is spooled is kept
    };
    virtual std::vector<CsvPaths> finish(const Finish& finish) = 0;
    virtual std::string csv_directory() const = 0;
    /// SHA-256 of the identifiers of a step's committed batches: their texts as the ledger has them, sorted by
    /// bytes, each followed by a line feed. "" where rows are not kept. May be asked for behind finish().
    virtual std::string identifiers_sha256(int step) = 0;
};

}  // namespace datachange
