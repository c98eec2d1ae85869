#include "run/continuation.hpp"

namespace datachange {

StepContinuation continue_step(int step, const JournalBatches& journal,
                               const std::vector<CommittedBatch>& lost) {
    StepContinuation result;
    for (const FrozenSet& set : journal.sets) {
        if (set.step == step) result.set = set;
    }
    for (const CommittedBatch& batch : journal.batches) {
        if (batch.step == step) result.batches.push_back(batch);
    }
    for (const CommittedBatch& batch : lost) {
        if (batch.step == step) result.taken.insert(batch.batch);
    }
    return result;
}

std::vector<Gap> gaps(const StepContinuation& step, const std::optional<Key>& greatest) {
    std::vector<Gap> found;
    std::optional<Key> end;
    std::string last;
    for (const CommittedBatch& batch : step.batches) {
        if (batch.range.after != end) found.push_back({{end, batch.range.after}, last, batch.batch});
        end = batch.range.upto;
        last = batch.batch;
    }
    if (end != greatest) found.push_back({{end, greatest}, last, ""});
    return found;
}

}  // namespace datachange
