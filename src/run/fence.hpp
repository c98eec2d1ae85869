#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/target.hpp"

namespace datachange {

/// A run as the journal in the target knows it.
struct JournalRun {
    std::string uuid, version, name, definition_sha256, state, owner, operator_name, ticket, started_at,
        finished_at;
    std::uint64_t rows_changed = 0;
    std::uint64_t batches = 0;  ///< committed ones

    /// It holds the version: nobody else may run it meanwhile.
    bool active() const { return state == "processing" || state == "paused"; }
};

/// What a new run writes of itself.
struct FenceHeader {
    std::string uuid, version, name, definition_sha256, owner, operator_name, ticket, started_at;
};

/// One committed batch in the journal.
struct FenceBatch {
    int step = 1;
    std::string batch;
    KeyRange range;
    std::uint64_t rows = 0;
    std::string leaf;  ///< the ledger's hash of the batch's evidence
};

/// The journal's two tables in the target: which versions have run there, and which batches have committed.
///
/// datachange_runs holds one row a run. Its epoch is raised by whoever takes a run over; a batch reads the
/// row first, FOR SHARE, and so cannot commit after somebody else has. datachange_batches gets a row in each
/// batch's own transaction, which makes it decisive for whether the batch committed.
class Fence {
public:
    explicit Fence(Target& target) : m_target(target) {}

    bool exists() const;
    /// Makes the tables. @throws Error (failed) with the way out if this role may not, or if a publication of
    /// all tables would carry them to subscribers that lack them.
    void create();
    /// The statements that create() executes, for a DBA; each ends in ";\n".
    static std::string ddl(Engine engine, const std::string& prefix);

    /// All runs, oldest first; empty if the tables are not there. @param version only of this one; empty:
    /// all.
    std::vector<JournalRun> runs(const std::string& version = {}) const;

    /// Enters the run as 'processing'. Of two that try at once only one gets through.
    /// @throws Error (pending) that says who holds the version.
    void take(const FenceHeader& header);
    /// First thing in a batch's transaction. @throws Error (pending) if the run was taken over, paused or
    /// cancelled.
    void check();
    /// Part of the batch's transaction.
    void record(const FenceBatch& batch);
    /// Ends the run.
    void finish(const std::string& state, std::uint64_t rows_changed, const std::string& at);
    /// Takes back a run that has changed nothing, because it must not run after all.
    void withdraw();

private:
    [[noreturn]] void refuse_held(const std::string& version) const;
    std::string table(const char* name) const { return m_target.journal_prefix() + name; }

    Target& m_target;
    std::string m_uuid;
    std::int64_t m_epoch = 1;
};

}  // namespace datachange
