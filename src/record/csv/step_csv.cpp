#include "record/csv/step_csv.hpp"

namespace datachange {

StepCsv render_step(Ledger& ledger, std::int64_t run_id, int step, const RunFolder& folder,
                    const std::string& prefix) {
    StepLayout layout = read_layout(ledger, run_id, step);
    ChangeReader rows = ledger.changes_of(run_id, step);
    if (rows.batches() == 0 || layout.counts_only) return {};
    StepWriter writer(std::move(layout), folder, prefix);
    while (const ChangeRow* change = rows.next()) writer.write(change->row, *change->images);
    return writer.complete();
}

}  // namespace datachange
