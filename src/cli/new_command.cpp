#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/command_tree.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "report/json.hpp"

namespace datachange {

namespace {

struct Options {
    std::string name, table, identifier, ticket;
    bool schema = false;
};

/// "Backfill user names" -> "backfill_user_names".
std::string file_name_of(const std::string& name) {
    std::string result;
    for (const char c : lower(trim(name))) {
        const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (word) {
            result += c;
        } else if (!result.empty() && result.back() != '_') {
            result += '_';
        }
    }
    while (result.ends_with('_')) result.pop_back();
    if (result.empty()) {
        throw Error(ExitCode::usage, fmt::format("\"{}\" cannot name a definition", name),
                    "Say in a few words what it changes: datachange new backfill_user_names.");
    }
    return result;
}

std::string definition_template(const std::string& title, const Options& options) {
    const std::string table = options.table.empty() ? "my_table" : options.table;
    const std::string identifier = options.identifier.empty() ? "id" : options.identifier;
    return fmt::format(
        "-- Data change: {0}. Say here what is changed, and why.\n"
        "-- ticket: {1}\n"
        "-- table: {2}\n"
        "-- identifier: {3}\n"
        "\n"
        "-- audit:pre\n"
        "-- the rows that will change, as they are now\n"
        "SELECT {3}, my_column FROM {2} WHERE my_column IS NULL AND :batch({3});\n"
        "\n"
        "-- audit:change\n"
        "UPDATE {2} SET my_column = 'value'\n"
        "WHERE my_column IS NULL AND :batch({3})\n"
        "RETURNING {3}, my_column;\n"
        "\n"
        "-- audit:post\n"
        "-- the same rows afterwards\n"
        "SELECT {3}, my_column FROM {2} WHERE :affected({3});\n"
        "\n"
        "-- audit:summary\n"
        "SELECT count(*) AS total, count(my_column) AS with_value FROM {2};\n"
        "\n"
        "-- audit:verify\n"
        "-- must return no row\n"
        "SELECT {3} FROM {2} WHERE my_column IS NULL;\n",
        title, options.ticket.empty() ? "TICKET-1" : options.ticket, table, identifier);
}

std::string schema_template(const std::string& title) {
    return fmt::format(
        "-- Schema migration: {}. Say here what for.\n"
        "-- It is one transaction. CREATE INDEX CONCURRENTLY and the like cannot be in one: they stand in a "
        "file of\n"
        "-- their own, the first line of which is a comment that reads transaction: no\n"
        "\n",
        title);
}

/// The folder that the file belongs into.
std::string folder_of(const Settings& settings, const Options& options) {
    if (!options.schema) return settings.dir;
    if (!options.table.empty() || !options.identifier.empty() || !options.ticket.empty()) {
        throw Error(ExitCode::usage,
                    "--table, --identifier and --ticket are for definitions, and not for --schema",
                    "Leave them out.");
    }
    if (!settings.schema_dir.empty()) return settings.schema_dir;
    throw Error(ExitCode::usage, "there is no folder of schema migrations",
                "Name it with --schema-dir, or with schema-dir in datachange.toml.");
}

void create_file(const std::string& path, const std::string& text) {
    const int file =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);  // never over an existing one
    const bool written =
        file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    if (file >= 0) ::close(file);
    if (!written) {
        throw Error(ExitCode::failed, fmt::format("{} cannot be written: {}", path, std::strerror(error)),
                    "Give a folder that can be written with --dir, or --schema-dir.");
    }
}

int write_new(const Settings& settings, const Options& options, const OutputOptions& output) {
    const std::string version = version_now();
    const std::string name = file_name_of(options.name);
    const std::string folder = folder_of(settings, options);
    std::error_code ignored;  // the file will tell
    std::filesystem::create_directories(folder, ignored);
    const std::string path = fmt::format("{}/{}_{}.sql", folder, version, name);
    std::string title = std::string{trim(options.name)};
    for (char& c : title) {
        if (c == '_' || c == '\n' || c == '\r') c = ' ';
    }
    create_file(path, options.schema ? schema_template(title) : definition_template(title, options));
    if (output.json) {
        fmt::print("{}\n", JsonObject{}.add("version", version).add("name", name).add("path", path).text());
    } else {
        fmt::print("{}\n", path);
    }
    return 0;
}

}  // namespace

void add_new(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add("new", "Write a definition, or a schema migration, from a template",
                                 "datachange new backfill_user_names --table users",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return write_new(settings, *options, output);
                                 });
    command->add_option("name", options->name, "What it changes, in a few words")->required();
    command->add_option("--table", options->table, "The table that is changed");
    command->add_option("--identifier", options->identifier, "Its key column (default id)");
    command->add_option("--ticket", options->ticket, "The ticket that asks for it");
    command->add_flag("--schema", options->schema, "A schema migration instead of a definition");
    tree.add_dir(command);
    tree.add_schema_dir(command);
    tree.add_json(command);
}

}  // namespace datachange
