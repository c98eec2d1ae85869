#pragma once

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

/// How one definition is to be run. Everything has the default of the command-line tool.
struct RunOptions {
    std::string database;                  ///< postgresql://..., sqlite:path, or a path of a SQLite file
    std::string definition;                ///< a path of a definition file
    std::string ledger = "datachange-ledger.db";
    std::string csv_dir = "audit-csv";
    std::string journal_schema;            ///< PostgreSQL: where the journal stands; empty: the current schema
    std::string operator_name;             ///< who runs it; empty: the user of this process
    std::optional<std::uint64_t> batch_size;       ///< rows; overrules the definition's
    std::uint64_t batch_threshold = 10'000;        ///< a larger set is run in batches
    bool single_transaction = false;
    bool dry_run = false;                  ///< everything, then rolled back
    bool again = false;                    ///< run although this version has run
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

/// What became of one step of a definition, or of a table that a step watches (numbered behind the steps).
struct StepResult {
    int number = 0;    ///< as in the definition, from 1
    int watch_of = 0;  ///< the number of the watching step; 0: a step itself
    bool only_verified = false;  ///< an integrity check: nothing was to be changed
    std::string name;
    std::string table;
    RowCounts rows;
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
    std::vector<std::string> warnings;  ///< whole sentences for a person
    std::string csv_directory;
    std::int64_t duration_ms = 0;
};

/// Runs one definition on its target, as `datachange run` does, and keeps the evidence.
///
/// Blocks until the run has ended; prints nothing.
/// @throws Error with the exit code that the tool would give and what was kept.
RunResult run_definition(const RunOptions& options);

}  // namespace datachange
