#include "cli/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "core/subprocess.hpp"
#include "core/text.hpp"

namespace datachange {

const std::vector<SettingSource> setting_sources{
    {"database", "DATABASE_URL"},
    {"ledger", "DATACHANGE_LEDGER"},
    {"dir", "DATACHANGE_DIR"},
    {"csv-dir", "DATACHANGE_CSV_DIR"},
    {"schema-dir", "DATACHANGE_SCHEMA_DIR"},
    {"journal-schema", "DATACHANGE_JOURNAL_SCHEMA"},
    {"operator", "DATACHANGE_OPERATOR"},
    {"batch-size", ""},
    {"batch-threshold", ""},
};

namespace {

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

/// One value of .env: bare, 'single' or "double" quoted.
std::string unquoted(std::string_view value) {
    const bool quoted =
        value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
    return std::string{quoted ? value.substr(1, value.size() - 2) : value};
}

/// The real environment wins over the file.
void read_dot_env() {
    std::ifstream file(".env");
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        std::string_view text = trim(line);
        if (text.empty() || text.front() == '#') continue;
        if (text.starts_with("export ")) text = trim(text.substr(7));
        const std::size_t equals = text.find('=');
        if (equals == 0 || equals == std::string_view::npos) {
            throw Error(ExitCode::usage, "a line of .env is not NAME=value")
                .at(fmt::format(".env:{}", number));
        }
        const std::string name{trim(text.substr(0, equals))};
        ::setenv(name.c_str(), unquoted(trim(text.substr(equals + 1))).c_str(), 0);
    }
}

std::string current_user() {
    if (const auto user = environment("USER")) return *user;
    const passwd* entry = ::getpwuid(::geteuid());
    return entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::geteuid());
}

/// The first of these that is there: the command line, the environment, the config file.
void take(std::string& setting, const std::optional<std::string>& given, const char* variable,
          const std::optional<std::string>& configured) {
    if (given) {
        setting = *given;
    } else if (const auto value = environment(variable)) {
        setting = *value;
    } else if (configured) {
        setting = *configured;
    }
}

/// How long a url-command may take; tests have less patience.
std::chrono::milliseconds url_command_timeout() {
    const auto given = environment("DATACHANGE_URL_COMMAND_TIMEOUT");
    return given ? std::chrono::milliseconds{std::atoi(given->c_str())} : std::chrono::seconds{30};
}

/// What comes from a secret store is told by no message, not even where it is wrong: so it must not pass for
/// the path of a file that is not there.
bool is_database(const std::string& text) {
    const bool one_line =
        std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
    if (text.empty() || !one_line) return false;
    if (text.starts_with("sqlite:") || text.find("://") != std::string::npos) return true;
    std::error_code error;
    return engine_of(text) == Engine::postgresql || std::filesystem::exists(text, error);
}

/// What a target's url-command printed.
std::string printed_url(const TargetConfig& target) {
    const SubprocessResult result =
        run_subprocess({shell_command(target.url.command), {}, "", url_command_timeout()});
    const std::string url{trim(result.out)};
    if (result.succeeded() && is_database(url)) return url;
    const std::string what = !result.succeeded()                   ? result.ending()
                             : url.empty()                         ? "printed nothing"
                             : url.find('\n') != std::string::npos ? "printed more than one line"
                                                                   : "printed something that is no URL";
    throw Error(ExitCode::usage, fmt::format("the url-command of target {} {}", target.name, what),
                "Call it by hand: it is to print the URL of the database on one line. Nothing was changed.")
        .at(target.at);
}

std::string url_in_environment(const TargetConfig& target) {
    const auto url = environment(target.url.env.c_str());
    if (url && is_database(*url)) return *url;
    throw Error(ExitCode::usage,
                fmt::format("{} {}, which is to have the URL of target {}", target.url.env,
                            url ? "is no URL" : "is not set", target.name),
                "Set it in the environment or in .env. Nothing was changed.")
        .at(target.at);
}

std::string url_of(const TargetConfig& target) {
    if (!target.url.url.empty()) return target.url.url;
    return target.url.command.empty() ? url_in_environment(target) : printed_url(target);
}

void override_with(std::string& setting, const std::string& of_target,
                   const std::optional<std::string>& given) {
    if (!of_target.empty() && !given) setting = of_target;
}

/// How many other people have to approve: the target says, else its group, else the file.
unsigned approvals_required_for(const Config& config, const std::string& group,
                                std::optional<unsigned> of_target) {
    if (of_target) return *of_target;
    const auto found = config.groups.find(group);
    if (found != config.groups.end() && found->second.approvals_required)
        return *found->second.approvals_required;
    return config.approvals.required.value_or(0);
}

}  // namespace

void Settings::require_database() const {
    if (!database.empty() || database_from_pg) return;
    if (!config.targets.empty()) {
        throw Error(ExitCode::usage, "no database is given",
                    fmt::format("Give --target NAME ({}), or --database URL.", known_targets(config)));
    }
    throw Error(ExitCode::usage, "no database is given",
                "Give --database URL, or set DATABASE_URL (here or in .env): postgresql://user@host/name, "
                "sqlite:path, or "
                "the path of a SQLite file.");
}

Engine Settings::engine() const {
    return database_from_pg ? Engine::postgresql : engine_of(database);
}

Settings Settings::for_target(const TargetConfig& one) const {
    Settings settings = for_target_without_url(one);
    settings.database = url_of(one);
    return settings;
}

Settings Settings::for_target_without_url(const TargetConfig& one) const {
    Settings settings = *this;
    settings.chosen.clear();
    settings.target = one.name;
    settings.database.clear();
    settings.database_from_pg = false;
    if (!one.group.empty()) settings.group = one.group;
    override_with(settings.ledger, one.ledger, given.ledger);
    override_with(settings.csv_dir, one.csv_dir, given.csv_dir);
    override_with(settings.dir, one.dir, given.dir);
    override_with(settings.schema_dir, one.schema_dir, given.schema_dir);
    override_with(settings.journal_schema, one.journal_schema, given.journal_schema);
    settings.approvals_required = approvals_required_for(config, settings.group, one.approvals_required);
    return settings;
}

Settings resolve_settings(const GivenSettings& given) {
    read_dot_env();
    Settings settings;
    settings.given = given;
    const std::string path = given.config.value_or("datachange.toml");
    if (std::filesystem::exists(path)) {
        settings.config = read_config(path);
    } else if (given.config) {
        throw Error(ExitCode::usage, "no such config file: " + path,
                    "Leave --config out, or name a file that is there.");
    }
    const Config& config = settings.config;
    take(settings.database, given.database, "DATABASE_URL", config.database);
    take(settings.ledger, given.ledger, "DATACHANGE_LEDGER", config.ledger);
    take(settings.dir, given.dir, "DATACHANGE_DIR", config.dir);
    take(settings.csv_dir, given.csv_dir, "DATACHANGE_CSV_DIR", config.csv_dir);
    take(settings.schema_dir, given.schema_dir, "DATACHANGE_SCHEMA_DIR", config.schema_dir);
    take(settings.journal_schema, given.journal_schema, "DATACHANGE_JOURNAL_SCHEMA", config.journal_schema);
    take(settings.operator_name, given.operator_name, "DATACHANGE_OPERATOR", config.operator_name);
    take(settings.group, std::nullopt, "DATACHANGE_GROUP", config.group);
    settings.redact_key = environment("DATACHANGE_REDACT_KEY").value_or("");
    if (settings.operator_name.empty()) settings.operator_name = current_user();
    settings.batch_size = given.batch_size ? given.batch_size : config.batch_size;
    settings.batch_threshold =
        given.batch_threshold.value_or(config.batch_threshold.value_or(settings.batch_threshold));
    settings.hooks = config.hooks;
    settings.allowed_signers = config.approvals.allowed_signers;
    settings.approval_drift = config.approvals.drift.value_or(settings.approval_drift);
    settings.approvals_required = approvals_required_for(config, settings.group, std::nullopt);
    const bool pg = environment("PGDATABASE") || environment("PGHOST") || environment("PGSERVICE");
    settings.database_from_pg = settings.database.empty() && pg;
    if (!given.target && !given.choice.made()) return settings;
    if (given.database) {
        throw Error(ExitCode::usage, "--target and --database both name the target",
                    "Leave one of them out.");
    }
    if (given.target) return settings.for_target(one_target(config, *given.target));
    settings.chosen = choose_targets(config, given.choice);
    return given.choice.names_one(settings.chosen)
               ? settings.for_target(TargetConfig(settings.chosen.front()))
               : settings;
}

Engine engine_of(const std::string& database) {
    if (database.starts_with("postgresql://") || database.starts_with("postgres://"))
        return Engine::postgresql;
    if (database.starts_with("sqlite:")) return Engine::sqlite;
    const std::size_t scheme = database.find("://");
    if (scheme != std::string::npos) {
        throw Error(
            ExitCode::usage, fmt::format("{} databases are not supported", database.substr(0, scheme)),
            "datachange knows postgresql://user@host/name, sqlite:path, and the path of a SQLite file.");
    }
    const std::size_t equals = database.find('=');  // libpq's key=value form
    const std::string key = lower(trim(database.substr(0, equals)));
    const bool keyword = key == "host" || key == "dbname" || key == "service" || key == "user" ||
                         key == "port" || key == "hostaddr";
    return equals != std::string::npos && keyword ? Engine::postgresql : Engine::sqlite;
}

std::string sqlite_path(const std::string& database) {
    if (!database.starts_with("sqlite:")) return database;
    const std::string path = database.substr(7);
    return path.starts_with("//") ? path.substr(2) : path;
}

}  // namespace datachange
