// What of the loop is only for undos: where their sets come from, and the look at them beforehand.

#include <set>

#include "run/step_loop.hpp"

namespace datachange {

namespace {

/// Conflicts of one row stand behind each other.
std::uint64_t rows_of(const std::vector<RowConflict>& conflicts) {
    std::uint64_t rows = 0;
    for (std::size_t i = 0; i < conflicts.size(); ++i) {
        const bool same = i > 0 && conflicts[i].step == conflicts[i - 1].step &&
                          conflicts[i].identifier == conflicts[i - 1].identifier;
        rows += same ? 0 : 1;
    }
    return rows;
}

}  // namespace

std::uint64_t StepLoop::rows_put_back(const std::vector<CommittedBatch>& batches) {
    std::uint64_t rows = 0;
    for (const CommittedBatch& batch : batches) {
        if (!batch.range.after || !batch.range.upto) continue;
        rows +=
            std::stoull(batch.range.upto->front().bytes) - std::stoull(batch.range.after->front().bytes) + 1;
    }
    return rows;
}

void StepLoop::look_for_conflicts() {
    if (!m_parts.undo || m_parts.undo->on_conflict != OnConflict::stop) return;
    std::vector<RowConflict> conflicts;
    std::set<std::string> seen;
    m_runner.read_only([&] {
        conflicts.clear();
        seen.clear();
        for (std::size_t i = 0; i < m_steps.size(); ++i) {
            // what a table is to look like when its turn comes again, nobody knows yet
            if (!seen.insert(m_steps[i].capture.table_id).second || !m_steps[i].undo) continue;
            const UndoStep& step = m_parts.undo->steps[i];
            m_parts.undo->source.read(*step.table, step.kind, rows_of_a_piece, [&](const RowSet& images) {
                for (RowConflict& found :
                     find_conflicts(m_target, m_steps[i].capture, *m_steps[i].undo, images)) {
                    found.step = static_cast<int>(i) + 1;
                    conflicts.push_back(std::move(found));
                }
            });
        }
    });
    const std::uint64_t rows = rows_of(conflicts);
    if (rows > 0) throw ConflictsFound(rows, std::move(conflicts));
}

/// The images of a step into the ledger of this run, where they are found whatever becomes of those of the
/// other.
std::uint64_t StepLoop::spool_images(const ReadyStep& step) {
    const int number = step.plan->step.number;
    const UndoStep& undo = m_parts.undo->steps[static_cast<std::size_t>(number) - 1];
    m_journal.drop_spool(number);
    m_parts.undo->source.read(*undo.table, undo.kind, rows_of_a_piece,
                              [&](const RowSet& images) { m_journal.spool(number, images); });
    return m_journal.spool_size(number);
}

}  // namespace datachange
