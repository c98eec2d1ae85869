#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datachange/run.hpp"
#include "record/csv/csv_file.hpp"
#include "record/csv/run_folder.hpp"
#include "record/ledger/ledger.hpp"

namespace datachange {

/// The CSV files of one step: where they will be, and the files themselves, complete and without their names
/// yet. No files: all empty.
struct StepCsv {
    CsvPaths paths;
    std::vector<std::unique_ptr<CsvFile>> files;
};

/// Renders the committed batches of a step from the ledger, in key order, one row at a time. A watched table
/// has no change.csv. There are no files where no batch was committed, or only counts are kept.
///
/// @param prefix of the files' names, "" or "1_users."
/// @throws Error (unreachable); SQLite::Exception
StepCsv render_step(Ledger& ledger, std::int64_t run_id, int step, const RunFolder& folder,
                    const std::string& prefix);

}  // namespace datachange
