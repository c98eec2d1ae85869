#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "datachange/run.hpp"
#include "record/ledger/change_reader.hpp"

namespace datachange {

/// A run as the ledger has it; times are ISO 8601 in UTC, "" where there is none yet.
struct LedgerRun {
    std::int64_t run = 0;
    std::string uuid, version, name, definition_sha256, definition_path;
    std::string engine;  ///< postgresql | sqlite
    std::string target, operator_name, host, ticket, author, tool_version, server_version;
    std::string mode;   ///< single | batched
    std::string state;  ///< processing | paused | done | failed | stopped | cancelled
    bool dry_run = false;
    RowCounts rows;
    std::string started_at, finished_at, error;
    std::string csv_directory;  ///< absolute; "" where there are no files
    std::string root;           ///< hash over all that was recorded; "" for a dry run
    std::int64_t epoch = 1;     ///< one more each time that somebody went on with it
    std::int64_t process = 0;   ///< that has it, or had it last; 0: not recorded
    std::string process_host;   ///< where that is; `host` is where the run began
    std::string owned_since;    ///< since when that process has it
    std::string reverses;       ///< UUID of the run that this one takes back; ""
    std::string git_commit;     ///< that the definition was checked out from; "": not known
    std::string redaction_key;  ///< fingerprint of the key of its digests; "": nothing is redacted
    std::string pruned_at;      ///< when its values were dropped; "": they are there
};

/// A column of a step's rows.
struct LedgerColumn {
    std::string name, type;
};

struct LedgerStep {
    int step = 1;
    int watch_of = 0;  ///< 0: a step of the definition
    std::string name, table;
    std::vector<std::string> identifier;
    std::string evidence;                             ///< full | keys | counts
    std::vector<std::string> redacted;                ///< columns of which only digests are kept
    std::vector<LedgerColumn> before, after;          ///< empty until a batch has told
    std::vector<std::vector<LedgerColumn>> returned;  ///< one list a statement
};

struct LedgerBatch {
    int step = 1;
    std::string batch;
    std::string state;                 ///< prepared | committed | unknown | rolled_back | lost
    std::string lower_key, upper_key;  ///< JSON arrays; "": no bound
    std::uint64_t audited = 0;         ///< rows
    RowCounts rows;
    int attempts = 1;
    std::string started_at;
    std::int64_t duration_ms = 0;
    std::string leaf, transaction_id;
    std::string witness;  ///< complete | may overcount: why | unavailable: why; "": not recorded
};

/// A committed batch whose evidence is in another ledger.
struct LedgerElsewhere {
    int step = 1;
    std::string batch, lower_key, upper_key;
    std::uint64_t rows_changed = 0;
    std::string leaf, ledger;  ///< UUID
};

struct LedgerSummary {
    int step = 1;
    std::string moment;  ///< before | after
    std::string result;  ///< JSON array of objects
};

struct LedgerEvent {
    std::string at, kind, detail;
};

/// A signed approval that the run has used up.
struct LedgerApproval {
    std::string signer, text, at, nonce, signature;
    std::string allowed_signer;  ///< the line of the file of allowed signers that let it pass
};

struct LedgerFile {
    int step = 1;
    std::string name;  ///< within the run's folder
    std::string path;  ///< absolute
    std::uint64_t bytes = 0;
    std::string sha256;
};

struct LedgerCollateral {
    int step = 1;
    std::string batch;
    Collateral rows;
};

struct LedgerFailure {
    int step = 1;
    std::string batch, identifier, sqlstate, message, at;
    std::string resolved_at;  ///< "": the row could not be changed up to now
};

/// What one run did to one row.
struct HistoryEntry {
    std::int64_t run = 0;
    std::string version, name, ticket, operator_name, started_at;
    int step = 1;
    std::string batch, table, identifier;
    std::string new_identifier;  ///< "" unless the change altered it
    std::string action;
    std::string before, after;  ///< JSON objects; "": there was no such row
    std::string at;             ///< when its batch began
    std::int64_t reverses = 0;  ///< the run that this one took back; 0: none
    std::string reversed_by;    ///< runs that took this one back: "5, 7"; "": none
};

/// Opens a ledger that is never written, whatever SQL says; a run may go on meanwhile.
/// @throws Error (unreachable)
SQLite::Database open_ledger_for_reading(const std::string& path);

/// True if a table is asked for by this name: regardless of case and quotes, with or without its schema.
bool names_table(const std::string& asked, const std::string& table);

/// An identifier of several columns as the ledger writes it, ["7","x"], out of any JSON array: [7, "x"].
/// Other texts are as they were.
std::string plain_identifier(const std::string& identifier);

/// Asks the ledger. The file is opened for reading and is never written; several processes may, while a run
/// goes on.
///
/// All methods throw Error (unreachable) if the ledger cannot be read.
class LedgerReader {
public:
    /// @throws Error (unreachable) "no ledger at PATH", or if the file is no ledger or one of a newer version
    explicit LedgerReader(const std::string& path);

    /// All that is read from here on is of one state of the ledger, whatever a run writes meanwhile.
    void hold();

    /// Runs, newest first; dry runs among them.
    /// @param version only of this one; "": of all
    /// @param limit at most so many; 0: all
    std::vector<LedgerRun> runs(const std::string& version = {}, std::uint64_t limit = 0) const;
    /// One run by its number or by the beginning of its UUID.
    /// @throws Error (usage) if there is none, or several begin so
    LedgerRun run(const std::string& which) const;
    /// The latest run of a version that was no dry run.
    std::optional<LedgerRun> last_run_of(const std::string& version) const;
    /// How many runs have dropped their values.
    std::uint64_t pruned_runs() const;
    /// The definition as it was executed.
    std::string definition(std::int64_t run) const;

    std::vector<LedgerStep> steps(std::int64_t run) const;
    /// The rows of a step's committed batches, one after the other; the reader outlives them.
    /// @param identifier not empty: leaves out what cannot have it; see ChangeReader
    ChangeReader changes(std::int64_t run, int step,
                         ChangeReader::Order order = ChangeReader::Order::recorded,
                         const std::string& identifier = {}) const;
    /// True if committed batches of the step altered identifiers.
    bool renames(std::int64_t run, int step) const;
    /// Rows that an undo found otherwise than its run had left them.
    std::vector<RowConflict> conflicts(std::int64_t run) const;
    /// Runs that take a run back, oldest first. @param uuid of the run
    std::vector<LedgerRun> undos_of(const std::string& uuid) const;
    /// By step, and within it by path: "2" before "10".
    std::vector<LedgerBatch> batches(std::int64_t run) const;
    std::vector<LedgerSummary> summaries(std::int64_t run) const;
    std::vector<LedgerEvent> events(std::int64_t run) const;
    std::vector<LedgerApproval> approvals(std::int64_t run) const;
    std::vector<LedgerFile> files(std::int64_t run) const;
    std::vector<LedgerCollateral> collateral(std::int64_t run) const;
    std::vector<LedgerFailure> failures(std::int64_t run) const;
    /// By step and path, as batches().
    std::vector<LedgerElsewhere> elsewhere(std::int64_t run) const;

    /// What committed batches did to one row, oldest first.
    ///
    /// @param table "" for any; else its name regardless of case and quotes, with or without schema.
    /// @param identifier as `changes.identifier` has it; one that a change altered is found by the old and
    /// the new one.
    std::vector<HistoryEntry> history(const std::string& table, const std::string& identifier) const;

private:
    template <class Row, class Read, class... Values>
    std::vector<Row> rows(const std::string& sql, Read read, const Values&... values) const;

    std::string m_path;
    mutable SQLite::Database m_database;
};

}  // namespace datachange
