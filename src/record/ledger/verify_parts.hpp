#pragma once

#include <future>
#include <map>

#include "record/ledger/chain.hpp"
#include "record/ledger/verify.hpp"

namespace datachange {

/// A run as verify() goes by it.
struct VerifiedRun {
    std::int64_t run = 0;
    std::string uuid, state, target, root;
    std::int64_t epoch = 1;
    bool dry_run = false, pruned = false;
    bool definition_fits = true;

    /// Its end is on record: what the chain covers must fit.
    bool ended() const { return state != "processing" && state != "paused"; }
};

// Each looks at one side of the evidence, and adds to the report. All throw SQLite::Exception.

/// Roots, their order, and the content of each run's newest link.
void verify_chain(Ledger& ledger, const std::vector<VerifiedRun>& runs, const VerifyOptions& options,
                  VerifyReport& report);
/// Leaves of a run's batches.
/// @return blocks that were read
std::uint64_t verify_leaves(Ledger& ledger, const VerifiedRun& run, const VerifyOptions& options,
                            std::uint64_t all_rows, VerifyReport& report);
/// SHA-256 of files by their paths; nothing for those that are not there.
using FileHashes = std::map<std::string, std::optional<std::string>>;
/// Hashes the recorded CSV files of all runs, or of one, in a thread of its own.
std::future<FileHashes> hash_files(Ledger& ledger, std::int64_t only);
/// The CSV files of a run.
void verify_files(Ledger& ledger, const VerifiedRun& run, const FileHashes& hashes, bool deep,
                  VerifyReport& report);
/// The target's journal.
void verify_journal(Ledger& ledger, const VerifiedRun& run, const TargetJournal& journal,
                    VerifyReport& report);

/// A row that reads otherwise in the CSV files than in the ledger.
struct UnlikeRow {
    std::string batch, identifier;  ///< "": there is none, or there are no files
};
/// The first such row of a step.
UnlikeRow first_row_unlike_files(Ledger& ledger, std::int64_t run, int step);

}  // namespace datachange
