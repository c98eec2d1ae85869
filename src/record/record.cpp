#include "record/record.hpp"

#include "record/ledger/ledger.hpp"
#include "record/ledger/undo_images.hpp"
#include "record/rehearsal_record.hpp"
#include "record/run_record.hpp"

namespace datachange {

std::unique_ptr<Journal> open_record(const RecordOptions& options) {
    return std::make_unique<RunRecord>(Ledger::open(options.ledger, options.ledger_lock_timeout_ms),
                                       options.csv_dir);
}

std::unique_ptr<Journal> open_rehearsal_record(const RecordOptions& options) {
    return std::make_unique<RehearsalRecord>(Ledger::open(options.ledger, options.ledger_lock_timeout_ms),
                                             options.csv_dir);
}

std::unique_ptr<UndoSource> open_undo_source(const std::string& ledger, const std::string& which,
                                             Engine engine, bool partial, bool from_ledger) {
    return std::make_unique<LedgerUndoSource>(ledger, which, engine, partial, from_ledger);
}

}  // namespace datachange
