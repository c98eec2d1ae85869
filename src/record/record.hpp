#pragma once

#include <memory>
#include <string>

#include "run/journal.hpp"
#include "run/undo_source.hpp"

namespace datachange {

/// Where evidence goes.
struct RecordOptions {
    std::string ledger;                   ///< path of the ledger; made if it is not there
    std::string csv_dir;                  ///< folder of the CSV files; made if it is not there
    int ledger_lock_timeout_ms = 60'000;  ///< how long to wait for another run that is writing to the ledger
};

/// Opens the ledger to record a run.
///
/// The CSV files are renderings of the committed batches, in <csv_dir>/<version>_<name>/<run>-<uuid8>. A step
/// of which nothing was committed, or only counts are kept, has no files. Not thread-safe; one object records
/// one run.
/// @throws Error (unreachable) if it cannot be made or written, is no ledger, or one of a newer version.
std::unique_ptr<Journal> open_record(const RecordOptions& options);

/// The same for a dry run: everything is recorded in temporary storage and rendered to
/// <csv_dir>/<version>_<name>/dry-run-<uuid8>, and the ledger gets no more than a row that it took place. As
/// the target is rolled back whatever happens, every batch that was prepared counts; settle does nothing.
std::unique_ptr<Journal> open_rehearsal_record(const RecordOptions& options);

/// The images of a run in a ledger, for its undo. @param which its number, or the beginning of its UUID
/// @param partial although it changed rows beside those that there are images of
/// @param from_ledger where the definition has a section `undo` as well
/// @throws Error (failed) that says why the run cannot be taken back
std::unique_ptr<UndoSource> open_undo_source(const std::string& ledger, const std::string& which,
                                             Engine engine, bool partial, bool from_ledger);

}  // namespace datachange
