#include "record/rehearsal_record.hpp"

#include <stdexcept>

#include "record/csv/csv_file.hpp"
#include "record/csv/run_folder.hpp"
#include "record/ledger/run_tables.hpp"

namespace datachange {

std::int64_t RehearsalRecord::begin_run(const RunHeader& header) {
    m_header = header;
    m_header.dry_run = true;
    m_scratch.begin_run(m_header);
    return 0;
}

PriorEvidence RehearsalRecord::resume_run(const RunHeader&, const std::vector<StepHeader>&,
                                          const std::vector<CommittedBatch>&) {
    throw std::logic_error("a dry run does not go on");
}

std::vector<CsvPaths> RehearsalRecord::finish(const Finish& finish) {
    std::vector<CsvPaths> paths;
    try {
        paths = m_scratch.finish(finish);
        if (!csv_directory().empty()) write_note();
    } catch (Error& failure) {
        m_ledger.guarded([&] { tell_ledger(finish); });
        failure.set_hint(
            "Nothing was changed. See that the folder of --csv-dir has room, and rehearse again.");
        throw;
    }
    m_ledger.guarded([&] { tell_ledger(finish); });
    return paths;
}

void RehearsalRecord::write_note() const {
    CsvFile note(csv_directory() + "/DRY-RUN.txt");
    note.write("These files are of a dry run of " + m_header.version + "_" + m_header.name + " at " +
               m_header.started_at + ".\nThe change was executed on " + m_header.target +
               " and rolled back: nothing was changed.\n");
    note.finish();
}

void RehearsalRecord::tell_ledger(const Finish& finish) {
    if (m_told) return;
    m_ledger.transact([&] {
        const std::int64_t run_id = insert_run(m_ledger, m_header);
        end_run(m_ledger, run_id, finish);
        const std::string folder = csv_directory();
        set_csv_directory(m_ledger, run_id, folder.empty() ? "" : absolute_path(folder));
        insert_event(m_ledger, run_id, "dry-run", "executed and rolled back; its rows are kept in no ledger");
    });
    m_told = true;
    m_ledger.checkpoint();
}

}  // namespace datachange
