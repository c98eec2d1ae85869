#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "run/admission.hpp"
#include "run/journal.hpp"
#include "target/target.hpp"

namespace datachange {

/// A run as the journal in the target knows it.
struct JournalRun {
    std::string uuid, version, name, definition_sha256, state, mode, operator_name, ticket, started_at,
        finished_at;
    std::string owner;         ///< who works on it, as a person reads it
    std::string host;          ///< where, and
    std::int64_t process = 0;  ///< in which process there,
    std::string owned_since;   ///< since when: ISO 8601, UTC
    std::int64_t epoch = 1;
    std::uint64_t rows_changed = 0;
    std::uint64_t batches = 0;  ///< committed ones

    /// It holds the version: nobody else may run it meanwhile.
    bool active() const { return state == "processing" || state == "paused"; }
};

/// Who works on a run.
struct FenceOwner {
    std::string owner, host;
    std::int64_t process = 0;
    std::string since;  ///< utc_now()
};

/// What a new run writes of itself.
struct FenceHeader {
    std::string uuid, version, name, definition_sha256, mode, operator_name, ticket, started_at;
    FenceOwner owner;
    std::int64_t epoch = 1;
};

/// What was asked of a run by `pause`, `cancel` and `throttle`.
struct RunRequests {
    bool pause = false, cancel = false;
    std::optional<std::uint64_t> max_rows_per_second;  ///< 0: no limit; absent: as the run was started
    std::string by;                                    ///< who asked last
};

/// What the set of a step was when the step began: a batched step goes by it to its end.
struct FrozenSet {
    int step = 1;
    std::uint64_t keys = 0;
    std::uint64_t batch_size = 0;  ///< rows that somebody asked for; 0: it follows the duration of batches
    std::optional<Key> greatest;   ///< where batches are ranges
};

/// Everything that the journal holds of the batches of a run.
struct JournalBatches {
    std::vector<FrozenSet> sets;
    std::vector<CommittedBatch> batches;  ///< by step, in it by path
};

/// The journal's tables in the target: which versions have run there, which batches have committed, and what
/// was asked of the runs.
///
/// datachange_runs holds one row a run. Its epoch is raised by whoever takes a run over; a batch reads the
/// row first, FOR SHARE, and so cannot commit after somebody else has. datachange_batches gets a row in each
/// batch's own transaction, which makes it decisive for whether the batch committed. datachange_requests
/// stands apart, because a request must not wait for the batches in hand.
/// datachange_approvals has the nonce of each approval that a run has used up (see UsedApprovals).
class Fence {
public:
    /// @param timeouts what the target's transactions have, given back to it after waiting
    explicit Fence(Target& target, Timeouts timeouts = {}) : m_target(target), m_timeouts(timeouts) {}
    /// The same run through another connection, for another worker on it: where one raises the epoch, all
    /// have it.
    Fence(const Fence& other, Target& target)
        : m_target(target), m_timeouts(other.m_timeouts), m_held(other.m_held) {}

    bool exists() const;
    /// Makes the tables. @throws Error (failed) with the way out if this role may not, or if a publication of
    /// all tables would carry them to subscribers that lack them.
    void create();
    /// The statements that create() executes, for a DBA; each ends in ";\n".
    static std::string ddl(Engine engine, const std::string& prefix);

    /// All runs, oldest first; empty if the tables are not there. @param version only of this one; empty:
    /// all.
    std::vector<JournalRun> runs(const std::string& version = {}) const;
    /// What was asked of a run.
    RunRequests requests(const std::string& uuid) const;
    /// Asks; what is not to be changed stays as it was asked before. Never waits for a batch in hand.
    void request(const std::string& uuid, const RunRequests& requests);

    /// Enters the run as 'processing'. Of two that try at once only one gets through.
    /// @param ledger UUID of the ledger that takes the evidence
    /// @param approvals used up in the same transaction
    /// @throws Error (pending) that says who holds the version; (failed) if another run has used one of them.
    void take(const FenceHeader& header, const std::string& ledger,
              const std::vector<UsedApproval>& approvals = {});
    /// Makes a run one's own, as 'processing': from here on nobody else's batch of it can commit, and every
    /// COMMIT that was in flight has ended one way or the other. Waits for that.
    /// @param least the new epoch is no smaller: the target may be an older copy of itself, behind the ledger
    /// @param waiting called about once a second while it does; may throw to give up
    /// @param approvals used up in the same transaction, besides those that the run has
    /// @return the new epoch
    /// @throws TakenOver if somebody else was faster.
    std::int64_t take_over(const JournalRun& run, const FenceOwner& owner, const std::string& ledger,
                           std::int64_t least, const std::function<void()>& waiting,
                           const std::vector<UsedApproval>& approvals = {});
    /// The same for one's own run, after which the journal is decisive for a batch in doubt.
    void raise_epoch(const std::function<void()>& waiting);

    /// First thing in a batch's transaction. @return what is asked of the run
    /// @throws TakenOver; Error (pending) if the run was ended by somebody else.
    RunRequests check();
    /// Part of the batch's transaction.
    void record(const CommittedBatch& batch);
    /// Beside the batches, and before the first of the step.
    void record_set(const FrozenSet& set);
    /// True if the journal has the batch with this leaf. Decisive only after take_over or raise_epoch.
    bool has_batch(const CommittedBatch& batch);
    JournalBatches batches();
    /// The committed batches of any run, by step, in it by path.
    std::vector<CommittedBatch> batches_of(const std::string& uuid) const;

    /// "paused" while the run waits, "processing" when it goes on. @throws TakenOver
    void set_state(const std::string& state);
    /// Ends the run; the rows it changed are those of its batches. @param steps of the definition; batches of
    /// those behind are of watched tables. @throws TakenOver: then nothing was written.
    void finish(const std::string& state, std::size_t steps, const std::string& at);
    /// Gives back the approvals that the run has used up, if it has changed nothing. Behind finish(), which
    /// has waited for every COMMIT in flight.
    void give_back_approvals();
    /// Takes back a run that has changed nothing, because it must not run after all.
    void withdraw();

private:
    void try_create();
    [[noreturn]] void refuse_held(const std::string& version) const;
    void take_with(const FenceHeader& header, const std::string& ledger,
                   const std::vector<UsedApproval>& approvals);
    void insert_run(const FenceHeader& header, const std::string& ledger);
    void raise(const std::string& uuid, std::int64_t least, const FenceOwner* owner,
               const std::function<void()>& waiting, const std::vector<UsedApproval>& approvals);
    bool try_raise(const std::string& uuid, std::int64_t to, const FenceOwner* owner,
                   const std::vector<UsedApproval>& approvals);
    std::string table(const char* name) const { return m_target.journal_prefix() + name; }

    /// The run that is held, which all workers on it have in common.
    struct Held {
        std::string uuid, version, ledger;
        std::int64_t epoch = 1;
        std::shared_mutex mutex;  ///< for the epoch: raised by one, compared by many
    };

    Target& m_target;
    Timeouts m_timeouts;
    std::shared_ptr<Held> m_held = std::make_shared<Held>();
};

/// What a batch is refused with whose run is somebody else's now.
TakenOver taken_over_error();

}  // namespace datachange
