// A program that runs one definition through the installed library and looks at what became of it.
#include <datachange/datachange.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <sqlite3.h>

namespace {

constexpr const char* definition_text = R"(-- Names in capitals.
-- table: people
-- identifier: id

-- audit:pre
SELECT id, name FROM people WHERE name <> upper(name) AND :batch(id);

-- audit:change
UPDATE people SET name = upper(name) WHERE name <> upper(name) AND :batch(id) RETURNING id, name;

-- audit:post
SELECT id, name FROM people WHERE :affected(id);
)";

void expect(bool holds, const std::string& what) {
    if (holds) return;
    std::cerr << "consumer: " << what << '\n';
    std::exit(1);
}

int take_text(void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) = values[0] != nullptr ? values[0] : "NULL";
    return 0;
}

/// Runs statements and gives the last value that they returned.
std::string in_database(const std::string& path, const char* statements) {
    sqlite3* database = nullptr;
    std::string value;
    expect(sqlite3_open(path.c_str(), &database) == SQLITE_OK, "cannot open " + path);
    expect(sqlite3_exec(database, statements, take_text, &value, nullptr) == SQLITE_OK,
           sqlite3_errmsg(database));
    sqlite3_close(database);
    return value;
}

void run_a_definition(const std::filesystem::path& folder) {
    const std::string database = folder / "people.db";
    in_database(database,
                "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);"
                "INSERT INTO people VALUES (1, 'ada'), (2, 'BOB'), (3, NULL), (4, 'Eve')");
    const std::string definition = folder / "20260101000000_capitals.sql";
    std::ofstream(definition) << definition_text;

    datachange::RunOptions options;
    options.database = "sqlite:" + database;
    options.definition = definition;
    options.ledger = folder / "ledger.db";
    options.csv_dir = folder / "csv";
    const datachange::RunResult result = datachange::run_definition(options);

    expect(result.state == "done" && result.mode == "single", "the run is " + result.state);
    expect(result.rows.updated == 2 && result.rows.changed() == 2, "the counts are wrong");
    expect(in_database(database, "SELECT group_concat(name) FROM people") == "ADA,BOB,EVE",
           "the table is wrong");
    expect(in_database(options.ledger, "SELECT before || after FROM changes WHERE identifier = '4'") ==
               R"({"id":4,"name":"Eve"}{"id":4,"name":"EVE"})",
           "the ledger is wrong");
    expect(std::filesystem::exists(result.steps.at(0).csv.diff), "there is no diff.csv");

    datachange::UndoOptions undo;
    undo.run = result.uuid;
    const datachange::RunResult undone = datachange::undo_run(options, undo);
    expect(undone.reverses == result.uuid && undone.rows.updated == 2, "the undo is wrong");
    expect(in_database(database, "SELECT group_concat(name) FROM people") == "ada,BOB,Eve",
           "the table is not as it was");
}

void fail_with_an_error(const std::filesystem::path& folder) {
    datachange::RunOptions options;
    options.database = "sqlite:" + std::string(folder / "people.db");
    options.definition = folder / "20260101000001_not_there.sql";
    options.ledger = folder / "ledger.db";
    options.csv_dir = folder / "csv";
    try {
        datachange::run_definition(options);
    } catch (const datachange::Error& error) {
        expect(error.code() == datachange::ExitCode::usage, std::string("another error: ") + error.what());
        return;
    }
    expect(false, "a definition that is not there was run");
}

}  // namespace

int main(int argc, char** argv) {
    expect(argc == 2, "usage: consumer FOLDER");
    run_a_definition(argv[1]);
    fail_with_an_error(argv[1]);
    std::cout << "datachange " << datachange::version() << " runs from a project of its own\n";
    return 0;
}
