#include <algorithm>
#include <string>

#include "core/hash.hpp"
#include "ledger_version_1.hpp"
#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

/// A ledger that version 1 wrote: a run of two batches that failed after the second.
struct OldLedger : RecordFixture {
    OldLedger() {
        SQLite::Database database(options.ledger, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        database.exec("PRAGMA journal_mode = WAL");
        database.exec(ledger_version_1);
        database.exec(R"sql(
PRAGMA application_id = 0x44434C47;
PRAGMA user_version = 1;
INSERT INTO meta VALUES ('uuid', '11111111-2222-4333-8444-555555555555'), ('created_at', '2026-03-01T12:00:00.000Z');
INSERT INTO runs(run_id, uuid, version, name, definition, definition_sha256, engine, target, operator, host, ticket, mode, state,
                 rows_changed, started_at, finished_at, error, tool_version, server_version, definition_path, updated)
VALUES (1, '01234567-89ab-4cde-8f01-23456789abcd', '20260301120000', 'backfill_names', '-- audit:pre', '00ff', 'sqlite',
        'sqlite:/data/app.db', 'ann', 'desk', 'OPS-1', 'batched', 'failed', 2, '2026-03-01T12:00:00.000Z',
        '2026-03-01T12:00:09.000Z', 'it broke', '0.1.0', 'SQLite 3.40.1', 'audits/x.sql', 2);
INSERT INTO steps VALUES (1, 1, NULL, 'users', 'id', NULL, 'full', '["id"]', '["id","name"]', '["integer","text"]',
                          '[["id","name"]]', '[["integer","text"]]', '["id","name"]', '["integer","text"]');
INSERT INTO batch(id, run_id, step, batch, state, rows, attempts, started_at, duration_ms, leaf, rows_pre, rows_returned,
                  rows_post, updated, inserted, deleted, unchanged, missing, unexpected, first_change, last_change)
VALUES (1, 1, 1, '1', 'committed', 1, 1, '2026-03-01T12:00:01.000Z', 5, 'aa', 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1),
       (2, 1, 1, '2', 'prepared', 1, 1, '2026-03-01T12:00:02.000Z', 5, 'bb', 1, 1, 1, 1, 0, 0, 0, 0, 0, 2, 2);
INSERT INTO change VALUES (1, 1, 0, '1', NULL, '[[],null]', '[[],"n1"]', NULL), (2, 2, 0, '2', NULL, '[[],null]', '[[],"n2"]', NULL);
INSERT INTO collateral VALUES (1, 1, '1', 'songs', 1, 2, 3);
)sql");
        SQLite::Statement link(database,
                               "INSERT INTO chain(link, run_id, at, leaves, previous, root)"
                               " VALUES (1, 1, '2026-03-01T12:00:09.000Z', 1, '', ?)");
        link.bind(1, version_1_root());
        link.exec();
    }

    /// The root of the run by the format of version 1.
    std::string version_1_root() const {
        const auto field = [](const std::string& text) {
            return std::to_string(text.size()) + ":" + text + ",";
        };
        std::string text = field("datachange root 1") + field("");
        for (const char* sql :
             {"SELECT uuid, version, name, definition_sha256, engine, target, operator, host, ticket, mode, "
              "state,"
              " rows_changed, started_at, finished_at, error, author, tool_version, server_version FROM runs",
              "SELECT step, name, table_name, identifier_columns, watch_of, evidence, before_columns, "
              "before_types,"
              " returned_columns, returned_types, after_columns, after_types FROM steps",
              "SELECT step, batch, leaf FROM batches WHERE state = 'committed'"}) {
            for (const std::string& row : ask(sql)) {
                for (const std::string& cell : split(row, '|')) text += cell == "~" ? "-," : field(cell);
            }
        }
        return sha256(text);
    }
};

}  // namespace

TEST_CASE_METHOD(OldLedger, "a ledger of version 1 is brought up to date by the next run, and loses nothing",
                 "[ledger]") {
    const std::string columns =
        "run_id, step, batch, identifier, action, before, after, new_identifier, change_id";
    const Lines changes = ask("SELECT " + columns + " FROM changes"),
                runs = ask("SELECT run_id, uuid, state, error FROM runs");
    const std::string root = ask_one("SELECT root FROM chain");
    run(names_filled(7, 7), step(), header("aaaaaaaa-0000-4000-8000-000000000002"));
    CHECK(ask_one("PRAGMA user_version") == "5");
    CHECK(ask_one("SELECT value FROM meta WHERE name = 'uuid'") == "11111111-2222-4333-8444-555555555555");
    CHECK(ask("SELECT " + columns + " FROM changes WHERE run_id = 1") == changes);
    CHECK(ask("SELECT run_id, uuid, state, error FROM runs WHERE run_id = 1") == runs);
    CHECK(ask_one("SELECT epoch, process, owned_since FROM runs WHERE run_id = 1") == "1|~|~");
    CHECK(ask_one("SELECT truncated FROM collateral") == "0");
    CHECK(ask("SELECT witness FROM batches") == Lines{"~", "~", "complete"});
    CHECK(ask("SELECT format, content IS NULL, previous FROM chain ORDER BY link") ==
          Lines{"1|1|", "3|0|" + root});
    CHECK(ask_one("PRAGMA integrity_check") == "ok");
}

TEST_CASE_METHOD(OldLedger, "a root of version 1 can be recounted after the upgrade", "[ledger]") {
    open_record(options);
    CHECK(version_1_root() == ask_one("SELECT root FROM chain WHERE format = 1"));
}

TEST_CASE_METHOD(OldLedger, "a ledger that was brought up to date is like a new one", "[ledger]") {
    open_record(options);
    const RecordFixture fresh;
    open_record(fresh.options);
    for (const std::string& table :
         fresh.ask("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")) {
        CAPTURE(table);
        const std::string columns = "SELECT * FROM pragma_table_info('" + table + "')";
        CHECK(ask(columns) == fresh.ask(columns));
    }
    const char* const names = "SELECT type, name FROM sqlite_schema ORDER BY 1, 2";
    CHECK(ask(names) == fresh.ask(names));
}

TEST_CASE_METHOD(OldLedger, "a run of version 1 goes on", "[ledger]") {
    const auto journal = open_record(options);
    const PriorEvidence prior = journal->resume_run(
        taken(), {step()},
        {{1, "1", {}, 1, "aa", journal->ledger_uuid()}, {1, "2", {}, 1, "bb", journal->ledger_uuid()}});
    CHECK(prior.found_committed == 1);
    CHECK(prior.steps.at(0).batches == 2);
    CHECK(prior.mode == "batched");
    commit(*journal, names_filled(3, 3), "3");
    const auto csv = journal->finish({"done", "", {}});
    CHECK(read_file(csv[0].post) == "id,name\r\n1,n1\r\n2,n2\r\n3,n3\r\n");
    CHECK(ask("SELECT format FROM chain ORDER BY link") == Lines{"1", "3"});
}

TEST_CASE_METHOD(OldLedger, "a reader leaves a ledger of version 1 as it is, and says what to do",
                 "[ledger]") {
    const Error error = error_of([&] { LedgerReader{options.ledger}; });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK_THAT(error.what(), Catch::Contains("schema version 1"));
    CHECK_THAT(error.hint(),
               Catch::Contains("next run brings it up to date") && Catch::Contains("nothing in it is lost"));
    CHECK(ask_one("PRAGMA user_version") == "1");
    open_record(options);
    CHECK(LedgerReader(options.ledger).run("1").epoch == 1);
}
