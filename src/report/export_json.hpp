#pragma once

#include "report/export_output.hpp"
#include "report/exported_run.hpp"

namespace datachange {

/// One JSON object: what `show --json` prints of the run, and `changes`, an array of its rows.
///
/// A row: step, batch, identifier, new_identifier (where the change altered it), action, before, after
/// (objects, values as the ledger has them; null: there was no such row), and returned (as the ledger's table
/// `block` has it, where RETURNING gave something that before and after do not tell).
void export_json(const ExportedRun& run, Output& to);

/// The run on the first line, each row on one of its own: the same objects.
void export_ndjson(const ExportedRun& run, Output& to);

}  // namespace datachange
