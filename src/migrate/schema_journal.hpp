#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/fence.hpp"
#include "target/target.hpp"

namespace datachange {

/// What the journal in the target knows of a schema migration: one row of datachange_schema_migrations.
struct SchemaRow {
    std::string version, name;
    std::string sha256;  ///< of the file that was applied
    std::string state;   ///< processing, failed, stopped, done
    std::uint64_t statements_done = 0;
    std::string attempt_uuid;  ///< of the attempt that wrote the row last
    std::string applied_by;    ///< the operator
    std::string host;
    std::int64_t process = 0;
    std::string owned_since;
    std::string started_at, finished_at, error;

    /// Who works on it, as `stalled` of a run asks.
    JournalRun as_run() const;
    /// "anna@host process 4711"
    std::string owner() const;
};

/// One try at a schema migration.
struct SchemaAttempt {
    std::string uuid;
    std::string version, name, sha256;
    std::string operator_name;
    FenceOwner owner;
};

/// The table datachange_schema_migrations: which schema migrations the target has.
///
/// The row of a file that is one transaction is written in that transaction, before everything else. Its
/// primary key is the lock between two who apply one version at once: the second waits for the COMMIT of the
/// first.
class SchemaJournal {
public:
    explicit SchemaJournal(Target& target) : m_target(target) {}

    /// Makes the journal where the table is not there. @throws Error as Fence::create
    void require_table();
    /// By version; none where the table is not there.
    std::vector<SchemaRow> rows() const;
    std::optional<SchemaRow> row(const std::string& version) const;

    /// Takes a version as 'processing'; waits for somebody else's open transaction that has taken it.
    /// @param former the row that is there, or nothing; @param statements_done that count already
    /// @return false if somebody else was faster
    /// @throws DatabaseError also for a duplicate key, on PostgreSQL after which the transaction must be
    /// rolled back
    bool take(const SchemaAttempt& attempt, const std::optional<SchemaRow>& former,
              std::uint64_t statements_done);
    /// Of the attempt's own row. @throws TakenOver if it is somebody else's now
    void count(const SchemaAttempt& attempt, std::uint64_t statements_done);
    void end(const SchemaAttempt& attempt, const std::string& state, std::uint64_t statements_done,
             const std::string& error = {});

private:
    std::string table() const { return m_target.journal_prefix() + "datachange_schema_migrations"; }
    std::vector<SchemaRow> read(const std::string& version) const;
    void require_ours(const RowSet& updated) const;

    Target& m_target;
};

}  // namespace datachange
