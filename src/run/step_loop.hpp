#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run/preflight.hpp"
#include "run/runner.hpp"
#include "run/tally.hpp"
#include "run/transaction.hpp"

namespace datachange {

/// Goes through the steps of a run and cuts their sets into batches; every batch is one call of
/// run_transaction.
class StepLoop {
public:
    /// @param steps filled when the loop is used; @param result has an entry for each step and watched table
    /// by then.
    StepLoop(const TransactionParts& transaction, const std::vector<ReadyStep>& steps, const RunParts& parts,
             RunResult& result);

    /// All steps, each whole. @param planned rows of each step, for progress.
    void run_in_one_transaction(const std::vector<std::uint64_t>& planned);
    /// Each step in transactions of its own: ranges or slices where its set is large, else one.
    void run_in_batches();

    /// Puts what all batches gave beside the rows into the result: collateral, warnings.
    void conclude();
    void warn(const std::string& text);

private:
    /// The set of a step is cut from what is measured when the step starts.
    struct StepSet {
        SetSize size;
        std::uint64_t covered = 0;  ///< keys that batches had so far
    };

    void run_step(std::size_t index);
    void run_ranges(std::size_t index, StepSet& set);
    void run_slices(std::size_t index, StepSet& set);
    std::uint64_t spool_set(const ReadyStep& step);
    std::uint64_t transact(const std::vector<Unit>& units);
    Unit unit(std::size_t index, std::uint64_t batch, KeyRange range, const RowSet* slice,
              bool whole_step) const;
    int first_watch_number(std::size_t index) const;

    SetSize measure_step(const ReadyStep& step);
    void refuse_unbatchable(std::size_t index, std::uint64_t rows) const;
    void require_covered(const ReadyStep& step, const StepSet& set) const;
    void require_not_stopped() const;
    void report_leftovers(const ReadyStep& step, const StepSet& set);
    void read_summary(std::size_t index, const std::string& moment);
    template <typename Work>
    void read_only(Work&& work);

    const Plan& m_plan;
    Target& m_target;
    Journal& m_journal;
    Listener& m_listener;
    const RunParts& m_parts;
    const std::vector<ReadyStep>& m_steps;
    RunResult& m_result;
    TransactionParts m_transaction;
    Tally m_tally;
};

}  // namespace datachange
