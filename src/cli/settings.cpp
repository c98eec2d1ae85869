#include "cli/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <pwd.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "core/text.hpp"

namespace datachange {

const std::vector<SettingSource> setting_sources{
    {"database", "DATABASE_URL"},
    {"ledger", "DATACHANGE_LEDGER"},
    {"dir", "DATACHANGE_DIR"},
    {"csv-dir", "DATACHANGE_CSV_DIR"},
    {"journal-schema", "DATACHANGE_JOURNAL_SCHEMA"},
    {"operator", "DATACHANGE_OPERATOR"},
    {"batch-size", ""},
    {"batch-threshold", ""},
};

namespace {

std::vector<std::string> config_keys() {
    std::vector<std::string> keys;
    for (const SettingSource& source : setting_sources) keys.push_back(source.key);
    return keys;
}

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

[[noreturn]] void refuse_key(const std::string& path, const toml::node& node, const std::string& message,
                             const std::string& hint) {
    const auto at = node.source().begin;
    throw Error(ExitCode::usage, message, hint).at(fmt::format("{}:{}:{}", path, at.line, at.column));
}

std::string text_of(const std::string& path, const std::string& key, const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    refuse_key(path, node, fmt::format("{} must be a text", key), fmt::format("Write {} = \"...\".", key));
}

std::uint64_t count_of(const std::string& path, const std::string& key, const toml::node& node) {
    const auto number = node.value_exact<std::int64_t>();
    if (number && *number > 0) return static_cast<std::uint64_t>(*number);
    refuse_key(path, node, fmt::format("{} must be a positive number of rows", key),
               fmt::format("Write {} = 5000.", key));
}

void read_config(const std::string& path, Settings& settings) {
    toml::table table;
    try {
        table = toml::parse_file(path);
    } catch (const toml::parse_error& error) {
        const auto at = error.source().begin;
        throw Error(ExitCode::usage, std::string{error.description()}, "datachange.toml is a TOML file.")
            .at(fmt::format("{}:{}:{}", path, at.line, at.column));
    }
    for (const auto& [name, node] : table) {
        const std::string key{name.str()};
        if (key == "database") {
            settings.database = text_of(path, key, node);
        } else if (key == "ledger") {
            settings.ledger = text_of(path, key, node);
        } else if (key == "dir") {
            settings.dir = text_of(path, key, node);
        } else if (key == "csv-dir") {
            settings.csv_dir = text_of(path, key, node);
        } else if (key == "journal-schema") {
            settings.journal_schema = text_of(path, key, node);
        } else if (key == "operator") {
            settings.operator_name = text_of(path, key, node);
        } else if (key == "batch-size") {
            settings.batch_size = count_of(path, key, node);
        } else if (key == "batch-threshold") {
            settings.batch_threshold = count_of(path, key, node);
        } else {
            refuse_key(path, node, fmt::format("unknown key {}", key),
                       did_you_mean(key, config_keys(), "Known are: " + join(config_keys(), ", ") + "."));
        }
    }
}

void take(std::string& setting, const std::string& key, const std::optional<std::string>& given) {
    const auto source = std::find_if(setting_sources.begin(), setting_sources.end(),
                                     [&](const SettingSource& one) { return one.key == key; });
    if (given) {
        setting = *given;
    } else if (const auto value = environment(source->variable.c_str())) {
        setting = *value;
    }
}

}  // namespace

void Settings::require_database() const {
    if (!database.empty() || database_from_pg) return;
    throw Error(ExitCode::usage, "no database is given",
                "Give --database URL, or set DATABASE_URL (here or in .env): postgresql://user@host/name, "
                "sqlite:path, or "
                "the path of a SQLite file.");
}

Engine Settings::engine() const {
    return database_from_pg ? Engine::postgresql : engine_of(database);
}

Settings resolve_settings(const GivenSettings& given) {
    read_dot_env();
    Settings settings;
    const std::string config = given.config.value_or("datachange.toml");
    if (std::filesystem::exists(config)) {
        read_config(config, settings);
    } else if (given.config) {
        throw Error(ExitCode::usage, "no such config file: " + config,
                    "Leave --config out, or name a file that is there.");
    }
    take(settings.database, "database", given.database);
    take(settings.ledger, "ledger", given.ledger);
    take(settings.dir, "dir", given.dir);
    take(settings.csv_dir, "csv-dir", given.csv_dir);
    take(settings.journal_schema, "journal-schema", given.journal_schema);
    take(settings.operator_name, "operator", given.operator_name);
    settings.redact_key = environment("DATACHANGE_REDACT_KEY").value_or("");
    if (settings.operator_name.empty()) settings.operator_name = current_user();
    if (given.batch_size) settings.batch_size = given.batch_size;
    if (given.batch_threshold) settings.batch_threshold = *given.batch_threshold;
    const bool pg = environment("PGDATABASE") || environment("PGHOST") || environment("PGSERVICE");
    settings.database_from_pg = settings.database.empty() && pg;
    return settings;
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
