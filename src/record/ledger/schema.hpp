#pragma once

namespace datachange {

/// Marks a SQLite file as a ledger (PRAGMA application_id): "DCLG".
inline constexpr int ledger_application_id = 0x44434C47;
/// The version of the schema (PRAGMA user_version) that this code writes and reads.
inline constexpr int ledger_schema_version = 1;

/// The statements that make the tables and views of an empty ledger. README.md beside this file describes
/// them.
const char* ledger_schema() noexcept;

}  // namespace datachange
