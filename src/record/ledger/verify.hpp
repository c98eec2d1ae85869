#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"
#include "run/journal.hpp"

namespace datachange {

/// What does not fit. Fields that say nothing are empty or 0.
struct Mismatch {
    std::int64_t run = 0;
    int step = 0;
    std::string batch, file;
    std::string message;

    /// "run 3 step 1 batch 7: the rows are not those that were recorded"
    std::string text() const;
};

/// What a target knows of the runs of a ledger.
struct TargetJournal {
    std::string target;  ///< without password
    /// The batches of a run; nothing if the target does not know the run. Asked after the ledger's state was
    /// taken, so that what the ledger has as committed is there.
    std::function<std::optional<std::vector<CommittedBatch>>(const std::string& uuid)> batches;
};

struct VerifyOptions {
    std::int64_t run = 0;  ///< only this one, and the chain; 0: all
    bool files = true;     ///< the CSV files too
    bool deep = false;     ///< SQLite's own checks, and the CSV files rendered again
    std::string anchor;    ///< a root that must stand in the chain, or the beginning of it; "": none
    const TargetJournal* journal = nullptr;
    /// Told from time to time: rows that were looked at, and all there are.
    std::function<void(std::uint64_t done, std::uint64_t all)> progress;
};

struct VerifyReport {
    std::string ledger;  ///< UUID
    std::string head;    ///< newest root of the chain; "" if there is none
    std::uint64_t links = 0, merged_links = 0;
    std::uint64_t runs = 0, batches = 0, rows = 0;
    std::uint64_t bytes = 0;  ///< of the blocks' columns
    std::uint64_t files = 0, journal_batches = 0;
    std::string target;                  ///< whose journal was asked; ""
    std::vector<std::int64_t> open;      ///< runs that go on: the chain does not cover them until they end
    std::vector<std::int64_t> pruned;    ///< runs without values: their leaves cannot be counted anew
    std::vector<std::string> missing;    ///< files that are not there
    std::optional<std::int64_t> anchor;  ///< the link that has it
    std::string anchor_ledger;           ///< in whose chain
    std::vector<Mismatch> mismatches;

    bool fits() const { return mismatches.empty(); }
};

/// Counts anew what the ledger has of its runs, and holds it against leaves, chain, files and journal. All
/// of it is of one state of the ledger, whoever writes to it meanwhile.
/// @throws Error (unreachable) if it cannot be read
VerifyReport verify_ledger(Ledger& ledger, const VerifyOptions& options);

}  // namespace datachange
