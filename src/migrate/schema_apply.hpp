#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "migrate/schema_file.hpp"
#include "run/fence.hpp"
#include "run/stop.hpp"
#include "target/target.hpp"

namespace datachange {

/// Who applies schema migrations, and how.
struct SchemaWork {
    std::string operator_name;
    FenceOwner owner;
    Timeouts timeouts;     ///< within transactions
    unsigned retries = 5;  ///< of a transaction, for what may pass: locks, deadlocks, lost connections
    const StopRequest* stop = nullptr;
    /// Told what is waited for, one line without an end; may be empty.
    std::function<void(const std::string&)> notice;
};

/// What was done of a schema migration.
struct SchemaResult {
    bool applied = true;  ///< false: somebody else had, or a mark says so
    std::string by;       ///< who had
    std::size_t statements = 0;
    std::size_t resumed_after = 0;  ///< statements that an earlier attempt had done
    std::int64_t duration_ms = 0;
};

/// Applies one schema migration, or what is left of it.
///
/// In one transaction, with its row in datachange_schema_migrations written first; a COMMIT in doubt is
/// decided by that row. A file that says `-- transaction: no` is executed statement by statement, each
/// counted in the row; an attempt that failed or died goes on with the first one that is not counted.
/// @param target a session of its own, named session_name(version): others tell by it whether somebody is at
/// work
/// @throws Error (usage) as schema_statements; (pending) if somebody else is at work on it, or it was asked
/// to stop; (failed) if it was applied with another text; DatabaseError (failed, or partial where statements
/// stay) with file:line:column and the statement
SchemaResult apply_schema_file(Target& target, const SchemaFile& file, const SchemaWork& work);

}  // namespace datachange
