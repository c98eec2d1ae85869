#include "record/csv/step_csv.hpp"

namespace datachange {

StepCsv render_step(Ledger& ledger, std::int64_t run_id, int step, const StepWriter::Open& open,
                    const std::function<bool(StepWriter&, const ChangeRow&)>& each) {
    StepLayout layout = read_layout(ledger, run_id, step);
    ChangeReader rows = ledger.changes_of(run_id, step);
    if (rows.batches() == 0 || layout.counts_only) return {};
    StepWriter writer(std::move(layout), open);
    while (const ChangeRow* change = rows.next()) {
        writer.write(change->row, *change->images);
        if (!each(writer, *change)) break;
    }
    return writer.complete();
}

StepCsv render_step(Ledger& ledger, std::int64_t run_id, int step, const RunFolder& folder,
                    const std::string& prefix) {
    return render_step(ledger, run_id, step, StepWriter::files_in(folder, prefix),
                       [](StepWriter&, const ChangeRow&) { return true; });
}

}  // namespace datachange
