#pragma once

#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

namespace datachange {

/// Copies a ledger as it is at one moment, while others may write to it; mode 0600. The copy has its name
/// only when it is complete and SQLite finds it whole.
///
/// @param force replaces a file that is there
/// @throws Error (usage) if there is one; Error (unreachable) if the ledger cannot be read or the copy not
/// written; Error (mismatch) if the copy is not whole
void backup_ledger(const std::string& ledger, const std::string& copy, bool force);

/// The same into a file that is there, empty or not.
void copy_ledger(SQLite::Database& from, const std::string& to);

}  // namespace datachange
