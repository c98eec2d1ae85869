#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "record/csv/run_folder.hpp"
#include "record/csv/step_writer.hpp"
#include "record/ledger/ledger.hpp"

namespace datachange {

/// Renders the committed batches of a step from the ledger, in key order, one block at a time. There are no
/// files where no batch was committed, or only counts are kept.
///
/// @param prefix of the files' names, "" or "1_users."
/// @throws Error (unreachable); SQLite::Exception
StepCsv render_step(Ledger& ledger, std::int64_t run_id, int step, const RunFolder& folder,
                    const std::string& prefix);
/// The same to any files.
/// @param each called behind each row; where it gives false, the rest is left out
StepCsv render_step(Ledger& ledger, std::int64_t run_id, int step, const StepWriter::Open& open,
                    const std::function<bool(StepWriter&, const ChangeRow&)>& each);

}  // namespace datachange
