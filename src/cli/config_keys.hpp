#pragma once

#include <array>

namespace datachange {

// What datachange.toml(5) says of the file, besides what the options of the commands say of themselves.

/// A key of datachange.toml that is no option of a command, or a variable that a hook gets.
struct ConfigKey {
    const char* name;
    const char* value;
    const char* meaning;
};
inline constexpr std::array plain_keys{
    ConfigKey{"group", "NAME",
              "The group of the target, where its own table says none; not in a file that has tables "
              "[group.NAME]. In "
              "the environment: DATACHANGE_GROUP"},
    ConfigKey{
        "approvals-required", "NUMBER",
        "People other than the operator who have to approve a run before it may change anything (default 0)"},
    ConfigKey{"allowed-signers", "FILE", "Whose signatures count, in the form that ssh-keygen(1) describes"},
    ConfigKey{"approval-drift", "PART",
              "By how much the planned rows may differ from those that were approved: 0.1 or \"10%\" (the "
              "default)"},
};
inline constexpr std::array target_keys{
    ConfigKey{"url", "URL", "As --database takes it"},
    ConfigKey{"url-env", "VARIABLE", "The variable of the environment, or of .env, that has the URL"},
    ConfigKey{
        "url-command", "COMMAND",
        "A line for /bin/sh that prints the URL, from where secrets are kept. It has 30 s, reads nothing, "
        "and neither what it prints nor what it complains of is shown or stored"},
    ConfigKey{"shards", "LIST",
              "In place of these three: several databases, each a URL as a text, or a table with one of the "
              "three and, "
              "where it is not to be called by its number from 1, name. NAME.1 is the target that is the "
              "first shard"},
    ConfigKey{"group", "NAME", "The group that it is in"},
    ConfigKey{"approvals-required", "NUMBER", "In place of that of the group and of the file"},
    ConfigKey{"ledger", "FILE", "In place of that of the file and of the environment; so are the next four"},
    ConfigKey{"dir", "DIR", "Folder of the definitions"},
    ConfigKey{"schema-dir", "DIR", "Folder of the schema migrations"},
    ConfigKey{"csv-dir", "DIR", "Folder of the CSV files"},
    ConfigKey{"journal-schema", "NAME", "PostgreSQL schema of the journal"},
};
inline constexpr std::array group_keys{
    ConfigKey{"approvals-required", "NUMBER", "In place of that of the file"},
};
inline constexpr std::array hook_keys{
    ConfigKey{"on-start", "COMMAND", "A run has begun, or goes on"},
    ConfigKey{"on-done", "COMMAND", "It is done"},
    ConfigKey{"on-failed", "COMMAND", "It ended with an error, or was cancelled"},
    ConfigKey{"on-paused", "COMMAND", "It stands still on request, or was stopped by Ctrl-C or SIGTERM"},
    ConfigKey{"timeout", "TIME", "How long each of them may take (default 10s)"},
};
inline constexpr std::array hook_variables{
    ConfigKey{"DATACHANGE_EVENT", "", "start, done, failed or paused"},
    ConfigKey{"DATACHANGE_TEXT", "", "All of it in one line for a person"},
    ConfigKey{"DATACHANGE_RUN", "", "Its number in the ledger"},
    ConfigKey{"DATACHANGE_RUN_UUID", "", "Its UUID"},
    ConfigKey{"DATACHANGE_VERSION", "", "The version of its definition"},
    ConfigKey{"DATACHANGE_NAME", "", "The name of its definition"},
    ConfigKey{"DATACHANGE_TICKET", "", "The ticket of its definition"},
    ConfigKey{"DATACHANGE_REVERSES", "", "Of an undo: the UUID of the run that it takes back"},
    ConfigKey{"DATACHANGE_RESUMED", "", "yes: it goes on with what had stopped"},
    ConfigKey{"DATACHANGE_OPERATOR", "", "Who runs it"},
    ConfigKey{"DATACHANGE_HOST", "", "Where"},
    ConfigKey{"DATACHANGE_TARGET", "", "Its name in this file, else the same as DATACHANGE_DATABASE"},
    ConfigKey{"DATACHANGE_DATABASE", "", "The database, without a password"},
    ConfigKey{"DATACHANGE_GROUP", "", "The group of the target"},
    ConfigKey{"DATACHANGE_STATE", "",
              "processing, paused, done, skipped (nothing to do), failed, stopped or cancelled"},
    ConfigKey{"DATACHANGE_ROWS_CHANGED", "", "So far, by all who worked on the run"},
    ConfigKey{"DATACHANGE_ROWS_FAILED", "", "Rows that could not be changed"},
    ConfigKey{"DATACHANGE_DURATION_MS", "", "How long it took, from its start or since it went on"},
    ConfigKey{"DATACHANGE_ERROR", "",
              "Why it failed or stands still; at most 2000 bytes, and without values under `redact:`"},
    ConfigKey{"DATACHANGE_EXIT_STATUS", "", "What a command that runs this alone ends with"},
    ConfigKey{"DATACHANGE_CSV_DIRECTORY", "", "The folder of its CSV files, where there are any"},
    ConfigKey{"DATACHANGE_LEDGER", "",
              "The ledger. This, DATACHANGE_DIR, DATACHANGE_SCHEMA_DIR, DATACHANGE_CSV_DIR and "
              "DATACHANGE_JOURNAL_SCHEMA are those in force, so that a hook may call datachange"},
};
inline constexpr const char* config_example =
    "database = \"postgresql://app@db.example.com/shop\"\n"
    "ledger = \"audit/shop.db\"\n"
    "batch-size = 5000\n"
    "allowed-signers = \"audit/allowed_signers\"\n"
    "\n"
    "[target.eu-prod]\n"
    "url-env = \"EU_PROD_URL\"\n"
    "group = \"prod\"\n"
    "\n"
    "[target.orders]\n"
    "shards = [\"postgresql://app@orders1/shop\", { name = \"b\", url-command = \"pass show orders-b\" }]\n"
    "group = \"prod\"\n"
    "\n"
    "[group.prod]\n"
    "approvals-required = 1\n"
    "\n"
    "[hooks]\n"
    "on-failed = 'curl -sS --json @- https://alerts.example.com/datachange'\n"
    "on-done = 'echo \"$DATACHANGE_TEXT\" >> /var/log/datachange.log'\n"
    "timeout = \"5s\"";

}  // namespace datachange
