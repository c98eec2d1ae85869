#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace datachange {

/// The database systems that can be changed.
enum class Engine { postgresql, sqlite };

/// "postgresql" or "sqlite".
const char* engine_name(Engine engine) noexcept;

/// How fast a batched run may go. Throttling acts between batches.
struct PaceOptions {
    /// The batch size follows this duration; absent: as `batch_size` says, or 1 s where nobody gave a size.
    std::optional<std::chrono::milliseconds> target_batch_time;
    std::uint64_t min_batch_size = 100;
    std::uint64_t max_batch_size = 10'000;
    std::uint64_t max_rows_per_second = 0;  ///< 0: no limit
    std::chrono::milliseconds sleep{0};     ///< between batches
    std::optional<std::chrono::milliseconds> max_lag;  ///< of the replica that is furthest behind
    std::string throttle_flag_file;         ///< waits while this file is there
    std::string throttle_query;             ///< waits while this query returns more than 0
};

/// Commands that are called when something becomes of a run, each by `/bin/sh -c`; "": none. They are told of it by
/// variables of their environment and a JSON object on stdin, and cannot change what becomes of the run: one that
/// fails or takes too long is a warning. A dry run has none.
struct HookOptions {
    std::string on_start;   ///< it has begun, or goes on
    std::string on_done;
    std::string on_failed;  ///< it ended with an error, or was cancelled
    std::string on_paused;  ///< it stands still on request, or was stopped
    std::chrono::milliseconds timeout{10'000};  ///< of each; then it is killed, and all that it started
    /// Variables besides: what the caller calls the target (DATACHANGE_TARGET), its group.
    std::vector<std::pair<std::string, std::string>> environment;
    /// Names of variables that hold secrets, and are withheld. DATABASE_URL, PGPASSWORD and DATACHANGE_REDACT_KEY
    /// always are.
    std::vector<std::string> withheld;

    bool any() const {
        return !on_start.empty() || !on_done.empty() || !on_failed.empty() || !on_paused.empty();
    }
};

/// Who has to approve a run before it may change anything. An approval is a signed file beside the definition.
struct ApprovalOptions {
    unsigned required = 0;        ///< signatures of other people than the operator; 0: none
    std::string allowed_signers;  ///< path of a file as ssh-keygen(1) has it: whose signatures count
    double drift = 0.1;           ///< that the planned rows may differ by, as a part of those approved
    std::string target;           ///< name that approvals know the target by; empty: that of its database
};

/// How one definition is to be run. Everything has the default of the command-line tool.
struct RunOptions {
    std::string database;                  ///< postgresql://..., sqlite:path, or a path of a SQLite file
    std::string definition;                ///< a path of a definition file
    std::string ledger = "datachange-ledger.db";
    std::string csv_dir = "audit-csv";
    std::string journal_schema;            ///< PostgreSQL: where the journal stands; empty: the current schema
    std::string redact_key;                ///< of the digests of redacted values, at least 16 bytes
    std::string operator_name;             ///< who runs it; empty: the user of this process
    std::optional<std::uint64_t> batch_size;       ///< rows; overrules the definition's
    std::uint64_t batch_threshold = 10'000;        ///< a larger set is run in batches
    bool single_transaction = false;
    bool dry_run = false;                  ///< everything, then rolled back
    bool again = false;                    ///< run although this version has run
    bool strict = false;                   ///< rows changed beside the audited ones roll the batch back
    std::optional<bool> skip_failures;     ///< overrules the definition's on-error
    std::uint64_t max_failures = 1'000;    ///< rows that may fail before the run stops in any case
    std::optional<unsigned> workers;       ///< batches done beside each other; absent: 2, or 1 on SQLite
    unsigned retries = 5;                  ///< of a batch, for what may pass: conflicts, locks, lost connections
    std::chrono::milliseconds lock_timeout{5'000};
    std::chrono::milliseconds statement_timeout{0};  ///< 0: the session's own
    PaceOptions pace;
    HookOptions hooks;
    ApprovalOptions approvals;
    bool hash_identifiers = false;         ///< tells in the result what rows each step is about
    bool timings = false;                  ///< tells in the result what the time was spent on
};

/// Number of rows by what happened to them; pre, change and post count the rows that each section gave.
struct RowCounts {
    std::uint64_t pre = 0, change = 0, post = 0;
    std::uint64_t updated = 0, inserted = 0, deleted = 0, unchanged = 0, missing = 0, unexpected = 0;

    /// Rows that are really different now.
    std::uint64_t changed() const { return updated + inserted + deleted; }
    RowCounts& operator+=(const RowCounts& other);
};

/// Paths of the CSV files of one step; a watched table has no change. Empty where there is no such file.
struct CsvPaths {
    std::string pre, change, post, diff;
};

/// Rows that triggers, cascades or unreported statements changed in one table beyond the audited rows.
struct Collateral {
    std::string table;
    std::int64_t inserted = 0, updated = 0, deleted = 0;
    bool truncated = false;  ///< emptied as a whole, which no count tells
};

/// A row that could not be changed.
struct RowFailure {
    int step = 1;
    std::string batch;
    std::string identifier;  ///< the key's text; "" where no single row is to blame
    std::string sqlstate, message;
};

/// A row that an undo found otherwise than the run had left it, in one of its columns. Values are JSON as in the
/// ledger; "": there is no such row.
struct RowConflict {
    int step = 1;
    std::string identifier, column;
    std::string before, after;  ///< what the run found and left
    std::string live;           ///< what stands there now
};

/// What became of one step of a definition, or of a table that a step watches (numbered behind the steps).
struct StepResult {
    int number = 0;    ///< as in the definition, from 1
    int watch_of = 0;  ///< the number of the watching step; 0: a step itself
    bool only_verified = false;  ///< an integrity check: nothing was to be changed
    std::string name;
    std::string table;
    std::uint64_t planned = 0;   ///< rows of the step's set when the run began
    RowCounts rows;
    /// SHA-256 of the identifiers of its rows, if asked for: their texts sorted by bytes, each followed by a line
    /// feed. Empty where rows are not kept (evidence: counts).
    std::string identifiers_sha256;
    CsvPaths csv;
    std::string summary_before;  ///< JSON array of objects, one a row; empty without a summary section
    std::string summary_after;
};

/// What became of a run.
struct RunResult {
    std::int64_t run = 0;  ///< number in the ledger
    std::string uuid;
    std::string version, name;
    Engine engine = Engine::sqlite;
    std::string target;  ///< without password
    std::string mode;    ///< single | batched
    std::string state;  ///< done, or skipped where `on-missing: skip` applied
    bool dry_run = false;
    std::uint64_t batches = 0;
    RowCounts rows;  ///< of all steps; watched tables are not counted in
    std::vector<StepResult> steps;
    std::vector<Collateral> collateral;
    std::vector<RowFailure> failures;        ///< rows that could not be changed and were skipped
    std::vector<std::string> approved_by;    ///< whose approvals let it through; of those, what it used up now
    std::string reverses;                    ///< UUID of the run that this one takes back; ""
    std::uint64_t conflicting_rows = 0;      ///< of an undo: rows that were not any more what the run had left
    std::vector<RowConflict> conflicts;      ///< the first of them
    bool resumed = false;                    ///< it went on with a run that had stopped; what that had done is counted in
    std::uint64_t batches_elsewhere = 0;     ///< committed before, with the evidence in another ledger; not counted in
    std::uint64_t rows_elsewhere = 0;        ///< that they changed
    std::uint64_t lost_batches = 0;          ///< committed before, and gone from the target; their ranges were run again
    std::vector<std::string> warnings;  ///< whole sentences for a person
    std::string csv_directory;
    std::int64_t duration_ms = 0;
    /// Seconds by phase (server, decode, compare, encode, durable, ledger, csv), if asked for. Threads work beside
    /// each other, so that the sum may be more than the duration.
    std::vector<std::pair<std::string, double>> timings;
};

/// Runs one definition on its target, as `datachange run` does, and keeps the evidence.
///
/// Blocks until the run has ended; prints nothing.
/// @throws Error with the exit code that the tool would give and what was kept.
RunResult run_definition(const RunOptions& options);

/// Which run is to go on.
struct ResumeOptions {
    std::string run;             ///< its UUID
    bool take_over = false;      ///< although somebody seems to work on it
    bool failed_rows = false;    ///< only the rows that failed before are tried again
    bool restored = false;       ///< although the target does not know the run: it was restored to a state before it
    bool cancel = false;         ///< what is in doubt is decided, and the run ended for good
};

/// Goes on with a run that stopped, as `datachange resume` and `datachange retry` do.
/// @param options as the run is to be treated from here on; the definition must be the one that it began with
/// @throws Error as run_definition
RunResult resume_run(const RunOptions& options, const ResumeOptions& resume);

}  // namespace datachange
