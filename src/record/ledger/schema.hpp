#pragma once

#include <string>

namespace datachange {

/// Marks a SQLite file as a ledger (PRAGMA application_id): "DCLG".
inline constexpr int ledger_application_id = 0x44434C47;
/// The version of the schema (PRAGMA user_version) that this code writes and reads.
inline constexpr int ledger_schema_version = 5;

/// The statements that make the tables and views of an empty ledger. README.md beside this file describes
/// them.
std::string ledger_schema();

/// The views that are made for people: v_runs, v_row_history, v_changes.
std::string ledger_views();

/// The statements that make a ledger of version 1 one of version 2. Nothing in it is lost or altered.
std::string ledger_upgrade_from_1();

/// What is done to a ledger of version 2 before its rows, then in `old_change`, are put into blocks, and
/// after.
std::string ledger_upgrade_from_2_before();
std::string ledger_upgrade_from_2_after();

/// The statements that make a ledger of version 3 one of version 4.
std::string ledger_upgrade_from_3();

/// The statements that make a ledger of version 4 one of version 5.
std::string ledger_upgrade_from_4();

}  // namespace datachange
