#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "record/ledger/row_copy.hpp"

namespace datachange {

/// Brings one run of another ledger into this one, in the open transaction.
class RunMerge {
public:
    /// What became of it.
    struct Result {
        std::int64_t run = 0;  ///< its number here
        bool added = false;    ///< it was not here
        bool completed = false;
        std::uint64_t batches = 0;  ///< that were not here
    };

    RunMerge(Ledger& other, Ledger& here) : m_other(other), m_here(here), m_copy(other, here) {}

    /// @param run its number in the other ledger
    /// @throws Error (mismatch) if both have a batch of it with different leaves
    Result merge(std::int64_t run);

private:
    using BatchName = std::pair<int, std::string>;  // step and path
    struct Run {
        std::int64_t run = 0, epoch = 0;
        std::string uuid, state;
        bool pruned = false;

        bool ended() const { return state != "processing" && state != "paused"; }
    };
    struct Batch {
        std::int64_t id = 0;
        std::string state, leaf;

        bool committed() const { return state == "committed" || state == "lost"; }
        bool in_doubt() const { return state == "prepared" || state == "unknown"; }
    };
    using Batches = std::map<BatchName, Batch>;
    using Elsewhere = std::map<BatchName, std::string>;  // leaf
    /// What a ledger has of the batches of a run.
    struct Side {
        Batches batches;
        Elsewhere elsewhere;
    };

    static std::optional<Run> find_run(Ledger& ledger, const std::string& where, const std::string& value);
    static Side side_of(Ledger& ledger, std::int64_t run);

    void add(const Run& there, Result& result);
    void complete(const Run& here, const Run& there, Result& result);
    void require_same_leaves(const Run& run) const;
    void bring_batches(const Run& here, Result& result);
    bool wanted(const BatchName& name, const Batch& batch) const;
    void settle(const Run& here, bool further);
    void bring_notes(const Run& here, const Run& there, bool further);
    void bring_files(const Run& here, const Run& there, bool further);
    /// @return its number here
    std::int64_t copy_batch(std::int64_t here_run, const Batch& batch);

    Ledger& m_other;
    Ledger& m_here;
    RowCopy m_copy;
    Side m_ours, m_theirs;  ///< of the run at hand
};

}  // namespace datachange
