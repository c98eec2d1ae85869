#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/config.hpp"
#include "cli/target_choice.hpp"
#include "datachange/error.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// What was given on the command line for the settings that also come from elsewhere; absent: not given.
struct GivenSettings {
    std::optional<std::string> config, database, ledger, dir, csv_dir, journal_schema, operator_name,
        schema_dir, target;
    TargetChoice choice;  ///< of commands that work on several targets at once
    std::optional<std::uint64_t> batch_size, batch_threshold;
};

/// The settings in force, for one target.
struct Settings {
    std::string database;           ///< empty: not given, and no PG* variables
    bool database_from_pg = false;  ///< libpq's PG* variables name the target
    std::string ledger = "datachange-ledger.db";
    std::string dir = "audits";
    std::string csv_dir = "audit-csv";
    std::string journal_schema;
    std::string operator_name;
    std::string schema_dir;  ///< of schema migrations; "": there are none
    std::string redact_key;  ///< a secret, and so from the environment alone
    std::optional<std::uint64_t> batch_size;
    std::uint64_t batch_threshold = 10'000;

    std::string target;  ///< its name in the config file; "": it has none
    std::string group;   ///< that the target is in; "": not known
    unsigned approvals_required = 0;
    std::string allowed_signers;  ///< path; "": not given
    double approval_drift = 0.1;  ///< as a part of the approved rows

    HookOptions hooks;
    Config config;        ///< the file's own words: the targets that may be chosen
    GivenSettings given;  ///< on the command line, which wins over what a target says
    /// Those that a command is to work on, where these are several or were chosen as such (a group, --all,
    /// the shards of a target); then the fields above are those of none of them, and for_target() gives them.
    std::vector<TargetConfig> chosen;

    bool several_targets() const { return !chosen.empty(); }

    /// @throws Error (usage) if no database was given in any way.
    void require_database() const;
    Engine engine() const;
    /// The same for a target of the config file: its URL (read from the environment, or printed by its
    /// command) and what else its table says. What was given on the command line wins.
    /// @throws Error (usage) if the variable is not set, or the command fails; the text that it printed is
    /// never told
    Settings for_target(const TargetConfig& target) const;
    /// The same without its URL, which is not asked for.
    Settings for_target_without_url(const TargetConfig& target) const;
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
/// DATACHANGE_JOURNAL_SCHEMA, DATACHANGE_SCHEMA_DIR, DATACHANGE_GROUP, DATACHANGE_OPERATOR,
/// DATACHANGE_REDACT_KEY. Variables of .env that the real
/// environment lacks are put into it.
/// With --target they are those of that target. Several targets are `chosen`.
/// @throws Error (usage) for a line of .env or a key of the config file that is not understood, or a target
/// that it does not have.
Settings resolve_settings(const GivenSettings& given);

/// The engine that a database URL or path names. @throws Error (usage) for an unknown scheme.
Engine engine_of(const std::string& database);

/// The file that a SQLite URL or path names.
std::string sqlite_path(const std::string& database);

}  // namespace datachange
