#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "run/batch_runner.hpp"
#include "run/batch_sizer.hpp"
#include "run/continuation.hpp"
#include "run/part.hpp"
#include "run/preflight.hpp"
#include "run/runner.hpp"
#include "run/tally.hpp"
#include "run/transaction.hpp"
#include "run/workers.hpp"

namespace datachange {

/// What a run that goes on has behind it.
struct Prior {
    PriorEvidence evidence;
    JournalBatches journal;
    std::vector<RowFailure> failures;
};

/// Goes through the steps of a run and cuts their sets into batches; every batch is one call of the batch
/// runner.
class StepLoop {
public:
    /// @param steps filled when the loop is used; @param result has an entry for each step and watched table
    /// by then.
    StepLoop(const TransactionParts& transaction, const std::vector<ReadyStep>& steps, const RunParts& parts,
             BatchRunner& runner, Control& control, RunResult& result);

    /// The first step's set, which was measured just now.
    void begin_with(SetSize first_set);
    /// Before anything else, where the run goes on: what is done already is left out and counted in.
    void go_on(Prior prior);

    /// Of an undo that is to stop at conflicts, before anything is changed: those that can be seen by now.
    /// @throws ConflictsFound
    void look_for_conflicts();
    /// All steps, each whole. @param planned rows of each step, for progress.
    void run_in_one_transaction(const std::vector<std::uint64_t>& planned);
    /// Each step in transactions of its own: ranges or slices where its set is large, else one.
    void run_in_batches();

    /// Puts what all batches gave beside the rows into the result: collateral, warnings.
    void conclude();
    void warn(const std::string& text);

private:
    /// The set of a step, as it is frozen when the step starts.
    struct StepSet {
        SetSize size;
        std::uint64_t covered = 0;  ///< keys that batches had so far, failed ones among them
        StepContinuation prior;
    };

    void run_step(std::size_t index);
    void run_batched_step(std::size_t index, StepSet& set);
    StepSet begin_set(std::size_t index);
    BatchSizer sizer_for(const ReadyStep& step, const StepSet& set) const;
    void freeze(const ReadyStep& step, const StepSet& set);
    void run_ranges(std::size_t index, StepSet& set);
    void run_gap(std::size_t index, StepSet& set, const Gap& gap);
    void run_slices(std::size_t index, StepSet& set);

    std::uint64_t batch_size();
    void hand_out(std::size_t index, StepSet& set, const Part& part);
    void run_part(BatchRunner& runner, std::size_t index, StepSet& set, const Part& part);
    void run_in_halves(BatchRunner& runner, std::size_t index, StepSet& set, const Part& part,
                       const DatabaseError& error);
    void fail_row(std::size_t index, StepSet& set, const Part& part, const std::string& identifier,
                  const DatabaseError& error);
    void do_whole(const std::vector<Unit>& units);
    std::vector<UnitResult> transact(BatchRunner& runner, const std::vector<Unit>& units);
    bool wants_workers(const ReadyStep& step) const;
    void resolve_failures(const Unit& unit, const UnitResult& result);
    Unit unit(std::size_t index, const Part& part, bool whole_step);
    int first_watch_number(std::size_t index) const;

    /// Images that batches of an undo have gone through, by their places.
    static std::uint64_t rows_put_back(const std::vector<CommittedBatch>& batches);
    std::uint64_t spool_images(const ReadyStep& step);
    SetSize measure_step(const ReadyStep& step);
    void refuse_unbatchable(std::size_t index, std::uint64_t rows) const;
    void require_covered(const ReadyStep& step, const StepSet& set);
    void report_leftovers(const ReadyStep& step, const StepSet& set);
    void read_summary(std::size_t index, const std::string& moment);

    const Plan& m_plan;
    Target& m_target;
    Journal& m_journal;
    Listener& m_listener;
    const RunParts& m_parts;
    const std::vector<ReadyStep>& m_steps;
    BatchRunner& m_runner;
    Control& m_control;
    RunResult& m_result;
    TransactionParts m_transaction;
    Tally m_tally;
    std::optional<SetSize> m_first_set;
    std::optional<Prior> m_prior;
    std::set<std::pair<int, std::string>> m_failed_before;  ///< step and identifier, looked up for every row
    std::mutex m_mutex;  ///< for what workers add up: m_result, m_tally, m_sizer, StepSet::covered
    std::optional<BatchSizer> m_sizer;  ///< of the step in hand
    std::unique_ptr<Workers>
        m_workers;  ///< none where batches are done one after the other; last: they use the rest
};

}  // namespace datachange
