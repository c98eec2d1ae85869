#pragma once

#include <string>

#include "datachange/run.hpp"
#include "migrate/schema_apply.hpp"
#include "run/listener.hpp"
#include "run/stop.hpp"

namespace datachange {

/// Applies one schema migration in a session of its own, and enters in the ledger what has become of it.
/// @param options database, journal_schema, ledger, operator, timeouts and retries of them count
/// @param stop may be nullptr
/// @throws Error as apply_schema_file
SchemaResult execute_schema(const RunOptions& options, Engine engine, const SchemaFile& file,
                            Listener& listener, StopRequest* stop);

/// "3 statements in one transaction, 12 ms"
std::string schema_result_text(const SchemaFile& file, const SchemaResult& result);

}  // namespace datachange
