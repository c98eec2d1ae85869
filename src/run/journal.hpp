#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "capture/batch_capture.hpp"
#include "core/row_set.hpp"
#include "datachange/run.hpp"
#include "target/target.hpp"

namespace datachange {

/// What is recorded of a run when it starts.
struct RunHeader {
    std::string uuid, version, name, definition, definition_sha256, definition_path;
    Engine engine = Engine::sqlite;
    std::string target;  ///< without password
    std::string operator_name, host, ticket, author, tool_version, server_version;
    std::string mode;  ///< single | batched
    bool dry_run = false;
    std::string started_at;  ///< utc_now()
};

/// A step of the run, or a watched table of one (numbered behind the steps).
struct StepHeader {
    int number = 1;
    int watch_of = 0;  ///< 0: a step of the definition; else the number of the step that watches
    std::string name, table;
    std::vector<std::string> identifier;
    std::string evidence = "full";  ///< full | keys | counts
};

/// One batch as it is recorded before the target commits.
struct BatchRecord {
    int step = 1;
    std::string batch = "1";  ///< "7", bisected "7.1"
    KeyRange range;
    int attempts = 1;
    std::string started_at;
    std::int64_t duration_ms = 0;
    const BatchCapture* capture = nullptr;  ///< the rows of the step; watches are batches of their own
};

/// Where evidence is written. Everything here must succeed or the change stops: each call throws Error
/// (unreachable) if it does not.
///
/// Order of calls: begin_run, then begin_step once for each step, then for each transaction: stage for each
/// of its batches, prepare, and settle. finish ends the run. At any time outside a transaction: summary,
/// event, spool.
class Journal {
public:
    virtual ~Journal() = default;

    /// Opens everything that will be written, so that a bad path costs nothing. @return the run's number; 0
    /// in a dry run.
    virtual std::int64_t begin_run(const RunHeader& header) = 0;
    virtual void begin_step(const StepHeader& header) = 0;

    /// Takes the rows of a batch, not durable yet. @return the leaf: SHA-256 of its immutable fields,
    /// hexadecimal.
    virtual std::string stage(const BatchRecord& batch) = 0;
    /// Makes all staged batches durable, state 'prepared'. @param transaction_id of the target, kept for what
    /// is in doubt.
    virtual void prepare(const std::string& transaction_id) = 0;
    /// Drops what was staged and not prepared; never throws.
    virtual void discard() noexcept = 0;
    /// What became of the prepared batches. committed: state 'committed', made durable with the next prepare
    /// or finish; rolled_back: their rows are dropped, state 'rolled_back'; in_doubt: state 'unknown'.
    virtual void settle(Outcome outcome) = 0;

    /// @param moment "before" or "after"; the result as rows.
    virtual void summary(int step, const std::string& moment, const RowSet& result) = 0;
    virtual void event(const std::string& kind, const std::string& detail) = 0;
    virtual void collateral(int step, const std::string& batch, const std::vector<Collateral>& tables) = 0;

    /// Keeps keys and images of a set for batches by key list; pieces come in key order.
    virtual void spool(int step, const RowSet& rows) = 0;
    /// Rows [from, from + count) of what was spooled for the step, as they were.
    virtual RowSet spooled(int step, std::uint64_t from, std::uint64_t count) = 0;

    /// Ends the run: its state, counts and error in the ledger, the CSVs rendered and renamed to their names
    /// (for a failed run only where some batch was committed). @return the CSVs of each step, in the order of
    /// begin_step.
    struct Finish {
        std::string state;  ///< done | failed
        std::string error;
        RowCounts rows;
    };
    virtual std::vector<CsvPaths> finish(const Finish& finish) = 0;
    virtual std::string csv_directory() const = 0;
};

}  // namespace datachange
