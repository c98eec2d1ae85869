#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "record/csv/csv_file.hpp"
#include "record/csv/run_folder.hpp"
#include "record/ledger/ledger.hpp"

namespace datachange {

/// Renders the rows that an undo found otherwise than its run had left them: those of committed batches, and
/// those that it stopped at. @param prefix of a step's files @return complete files that have no names yet,
/// by step
std::map<int, std::unique_ptr<CsvFile>> render_conflicts(Ledger& ledger, std::int64_t run_id,
                                                         const RunFolder& folder,
                                                         const std::function<std::string(int)>& prefix);

}  // namespace datachange
