#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datachange/error.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// What was given on the command line for the settings that also come from elsewhere; absent: not given.
struct GivenSettings {
    std::optional<std::string> config, database, ledger, dir, csv_dir, journal_schema, operator_name;
    std::optional<std::uint64_t> batch_size, batch_threshold;
};

/// The settings in force.
struct Settings {
    std::string database;           ///< empty: not given, and no PG* variables
    bool database_from_pg = false;  ///< libpq's PG* variables name the target
    std::string ledger = "datachange-ledger.db";
    std::string dir = "audits";
    std::string csv_dir = "audit-csv";
    std::string journal_schema;
    std::string operator_name;
    std::string redact_key;  ///< a secret, and so from the environment alone
    std::optional<std::uint64_t> batch_size;
    std::uint64_t batch_threshold = 10'000;

    /// @throws Error (usage) if no database was given in any way.
    void require_database() const;
    Engine engine() const;
};

/// Where a setting comes from besides the command line.
struct SettingSource {
    std::string key;       ///< in datachange.toml; the option is called so as well
    std::string variable;  ///< of the environment; "": there is none
};
extern const std::vector<SettingSource> setting_sources;

/// Merges the command line, the environment, the file .env and datachange.toml, in this order of precedence.
///
/// Environment: DATABASE_URL, PG*, DATACHANGE_LEDGER, DATACHANGE_DIR, DATACHANGE_CSV_DIR,
/// DATACHANGE_JOURNAL_SCHEMA, DATACHANGE_OPERATOR, DATACHANGE_REDACT_KEY. Variables of .env that the real
/// environment lacks are put into it.
/// @throws Error (usage) for a line of .env or a key of the config file that is not understood.
Settings resolve_settings(const GivenSettings& given);

/// The engine that a database URL or path names. @throws Error (usage) for an unknown scheme.
Engine engine_of(const std::string& database);

/// The file that a SQLite URL or path names.
std::string sqlite_path(const std::string& database);

}  // namespace datachange
