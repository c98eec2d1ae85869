#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datachange/run.hpp"

namespace datachange {

/// Where the URL of a database comes from; one of the three is given.
struct UrlSource {
    std::string url;      ///< as it stands
    std::string env;      ///< the variable of the environment (or .env) that has it
    std::string command;  ///< a line for the shell that prints it

    bool given() const { return !url.empty() || !env.empty() || !command.empty(); }
};

/// A table [target.NAME] of the config file, or one of its shards.
struct TargetConfig {
    std::string name;      ///< "eu-prod"; a shard's is "orders.1"
    std::string shard_of;  ///< "orders"; "": it is no shard
    std::string group;     ///< "": none
    UrlSource url;
    // what it has instead of the settings of the file; "": the same
    std::string ledger, csv_dir, dir, journal_schema, schema_dir;
    std::optional<unsigned> approvals_required;
    std::string at;  ///< "datachange.toml:12:1"
};

/// A table [group.NAME].
struct GroupConfig {
    std::optional<unsigned> approvals_required;
};

/// Who has to approve a run before it may change anything.
struct ApprovalConfig {
    std::optional<unsigned> required;  ///< other people's signatures
    std::string allowed_signers;       ///< path of a file as ssh-keygen(1) has it
    std::optional<double> drift;       ///< that the planned rows may differ by, as a part of those approved
};

/// Everything that datachange.toml says; keys that it does not have are empty.
struct Config {
    std::optional<std::string> database, ledger, dir, csv_dir, journal_schema, operator_name, schema_dir,
        group;
    std::optional<std::uint64_t> batch_size, batch_threshold;
    ApprovalConfig approvals;
    HookOptions hooks;  ///< the table [hooks]
    std::map<std::string, GroupConfig> groups;
    std::vector<TargetConfig> targets;  ///< in the order of the file, shards one by one
};

/// Reads a config file. @throws Error (usage) with its place, for what is no TOML, an unknown key (with the
/// near one as hint), a value of a wrong type, a target without a URL.
Config read_config(const std::string& path);

}  // namespace datachange
