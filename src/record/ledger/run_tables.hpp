#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"
#include "run/journal.hpp"

namespace datachange {

/// A CSV file that was written.
struct RecordedFile {
    int step = 1;
    std::string name;  ///< within the run's folder
    std::string path;
    std::uint64_t bytes = 0;
    std::string sha256;
};

/// Writing of the small tables of the ledger, each in the open transaction or in one of its own. All throw
/// SQLite::Exception.

/// @return the run's number. Its state is 'processing'.
std::int64_t insert_run(Ledger& ledger, const RunHeader& header);
void insert_step(Ledger& ledger, std::int64_t run_id, const StepHeader& header);
/// The run belongs to who says so in the header, and goes on: state 'processing', without error and end.
void set_owner(Ledger& ledger, std::int64_t run_id, const RunHeader& header);
void set_state(Ledger& ledger, std::int64_t run_id, const std::string& state);
/// State, counts, error and the time of the end.
void end_run(Ledger& ledger, std::int64_t run_id, const Journal::Finish& finish);
/// @param directory absolute; "" if there are no CSV files.
void set_csv_directory(Ledger& ledger, std::int64_t run_id, const std::string& directory);

/// What let the run through.
void insert_approvals(Ledger& ledger, std::int64_t run_id, const std::vector<UsedApproval>& approvals);
void insert_event(Ledger& ledger, std::int64_t run_id, const std::string& kind, const std::string& detail);
void insert_summary(Ledger& ledger, std::int64_t run_id, int step, const std::string& moment,
                    const RowSet& result);
void insert_collateral(Ledger& ledger, std::int64_t run_id, int step, const std::string& batch,
                       const std::vector<Collateral>& tables);
/// A row that is noted again replaces what was noted of it before.
/// Conflicts of an undo. @param batch "": they kept it from going on
void insert_conflicts(Ledger& ledger, std::int64_t run_id, const std::string& batch,
                      const std::vector<RowConflict>& conflicts);
/// Those that kept it from going on are over when it does.
void forget_conflicts(Ledger& ledger, std::int64_t run_id);

void insert_failure(Ledger& ledger, std::int64_t run_id, const RowFailure& failure);
void resolve_failure(Ledger& ledger, std::int64_t run_id, int step, const std::string& identifier);
/// Those that are not resolved, oldest first.
std::vector<RowFailure> open_failures(Ledger& ledger, std::int64_t run_id);
/// As Journal::identifiers_sha256; sorted by SQLite, which needs no more memory for many.
std::string hash_identifiers(Ledger& ledger, std::int64_t run_id, int step);
/// The files of the run, instead of what an earlier end of it wrote.
void replace_files(Ledger& ledger, std::int64_t run_id, const std::vector<RecordedFile>& files);

}  // namespace datachange
