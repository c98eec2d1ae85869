#include <string>

#include "core/hash.hpp"
#include "ledger_version_1.hpp"
#include "record/ledger/merge.hpp"
#include "record/ledger/prune.hpp"
#include "record/ledger/verify.hpp"
#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

std::string field(const std::string& text) {
    return std::to_string(text.size()) + ":" + text + ",";
}

/// Fixtures that write the hashes of older formats, by the description in src/record/ledger/README.md.
struct OldFormats : RecordFixture {
    std::string fields(const std::string& sql, const std::string& name = "") const {
        std::string text;
        for (const std::string& row : ask(sql)) {
            if (!name.empty()) text += field(name);
            for (const std::string& cell : split(row, '|')) text += cell == "~" ? "-," : field(cell);
        }
        return text;
    }
    void edit(const std::string& sql) const {
        SQLite::Database(options.ledger, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
    }
    Lines verify() const {
        Ledger ledger = Ledger::open_to_read(options.ledger);
        Lines found;
        for (const Mismatch& mismatch : verify_ledger(ledger, {}).mismatches)
            found.push_back(mismatch.text());
        return found;
    }
};

constexpr const char* run_columns =
    "uuid, version, name, definition_sha256, engine, target, operator, host, ticket, mode, state, "
    "rows_changed,"
    " started_at, finished_at, error, author, tool_version, server_version";
constexpr const char* step_columns =
    "step, name, table_name, identifier_columns, watch_of, evidence, before_columns, before_types,"
    " returned_columns, returned_types, after_columns, after_types";

/// A ledger as version 1 wrote it.
struct VersionOne : OldFormats {
    VersionOne() {
        edit(std::string{"PRAGMA journal_mode = WAL;"} + ledger_version_1 + R"sql(
PRAGMA application_id = 0x44434C47;
PRAGMA user_version = 1;
INSERT INTO meta VALUES ('uuid', '11111111-2222-4333-8444-555555555555'), ('created_at', '2026-03-01T12:00:00.000Z');
INSERT INTO runs(run_id, uuid, version, name, definition, definition_sha256, engine, target, operator, host, ticket, mode, state,
                 rows_changed, started_at, finished_at, tool_version, server_version, definition_path, updated)
VALUES (7, '76543210-89ab-4cde-8f01-23456789abcd', '20260301120000', 'backfill_names', 'x',
        '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881', 'sqlite', 'sqlite:/data/app.db', 'ann',
        'desk', 'OPS-1', 'batched', 'done', 2, '2026-03-01T12:00:00.000Z', '2026-03-01T12:00:09.000Z', '0.1.0',
        'SQLite 3.40.1', 'audits/x.sql', 2);
INSERT INTO steps VALUES (7, 1, NULL, 'users', 'id', NULL, 'full', '["id"]', '["id","name"]', '["integer","text"]',
                          '[["id","name"]]', '[["integer","text"]]', '["id","name"]', '["integer","text"]');
INSERT INTO batch(id, run_id, step, batch, state, rows, attempts, started_at, duration_ms, leaf, rows_pre, rows_returned,
                  rows_post, updated, inserted, deleted, unchanged, missing, unexpected, first_change, last_change)
VALUES (1, 7, 1, '1', 'committed', 2, 1, '2026-03-01T12:00:01.000Z', 5, '', 2, 2, 2, 2, 0, 0, 0, 0, 0, 1, 2);
INSERT INTO change VALUES (1, 1, 0, '1', NULL, '[[],null]', '[[],"n1"]', NULL), (2, 1, 0, '2', NULL, '[[],null]', '[[],"n2"]', NULL);
)sql");
        const std::string counts =
            "rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing, unexpected";
        const std::string leaf =
            sha256(field("datachange leaf 1") +
                   fields("SELECT uuid, step, batch, lower_key, upper_key, " + counts_of("batch.", counts) +
                          " FROM batch JOIN runs USING (run_id)") +
                   fields("SELECT action, identifier, new_identifier, before, after, returned FROM change"));
        edit("UPDATE batch SET leaf = '" + leaf + "'");
        const std::string root = sha256(field("datachange root 1") + field("") +
                                        fields(std::string{"SELECT "} + run_columns + " FROM runs") +
                                        fields(std::string{"SELECT "} + step_columns + " FROM steps") +
                                        fields("SELECT step, batch, leaf FROM batch"));
        edit(
            "INSERT INTO chain(link, run_id, at, leaves, previous, root) VALUES (1, 7, "
            "'2026-03-01T12:00:09.000Z', 1, "
            "'', '" +
            root + "'); UPDATE runs SET root = '" + root + "'");
    }

    static std::string counts_of(const std::string& table, const std::string& columns) {
        std::vector<std::string> names = split(columns, ',');
        for (std::string& name : names) name = table + std::string{trim(name)};
        return join(names, ", ");
    }
};

}  // namespace

TEST_CASE_METHOD(VersionOne, "what version 1 wrote is verified when the ledger is up to date", "[ledger]") {
    open_record(options);
    CHECK(verify().empty());
    SECTION("a row that was edited") {
        edit("UPDATE block SET after = replace(after, 'n2', 'x2')");
        CHECK_THAT(verify().at(0), Catch::Contains("run 7 step 1 batch 1: the rows are not those"));
    }
    SECTION("a field that was edited") {
        edit("UPDATE runs SET operator = 'eve'");
        CHECK_THAT(verify().at(0), Catch::Contains("run 7: what is recorded of it"));
    }
}

TEST_CASE_METHOD(VersionOne, "a ledger of version 1 is merged by way of a copy, and left as it is",
                 "[ledger]") {
    const RecordFixture here;
    {
        Ledger ledger = Ledger::open(here.options.ledger, 0);
        const MergeReport report = merge_ledger(ledger, options.ledger);
        CHECK(report.runs == 1);
        CHECK(report.batches == 1);
        CHECK(report.links == 1);
        CHECK(merge_ledger(ledger, options.ledger).links == 0);
        CHECK(verify_ledger(ledger, {}).fits());
    }
    CHECK(ask_one("PRAGMA user_version") == "1");
    CHECK(here.ask("SELECT identifier, after FROM changes") ==
          Lines{R"(1|{"id":1,"name":"n1"})", R"(2|{"id":2,"name":"n2"})"});
}

TEST_CASE_METHOD(OldFormats, "a link of format 2 is verified", "[ledger]") {
    RunHeader of_run = header();
    of_run.definition_sha256 = sha256(of_run.definition);
    run(names_filled(1, 3), step(), of_run);
    const std::string content =
        sha256(fields(std::string{"SELECT "} + run_columns + ", epoch FROM runs", "runs") +
               fields(std::string{"SELECT "} + step_columns + " FROM steps", "steps") +
               fields("SELECT step, batch, state, leaf FROM batch", "batches"));
    const std::string root = sha256(field("datachange root 2") + field("") + field(content));
    edit("UPDATE chain SET format = 2, epoch = NULL, content = '" + content + "', root = '" + root +
         "'; UPDATE runs SET root = '" + root + "'");
    CHECK(verify().empty());
    edit("UPDATE runs SET ticket = 'OPS-9'");
    CHECK_THAT(verify().at(0), Catch::Contains("run 1: what is recorded of it"));
}

TEST_CASE_METHOD(VersionOne, "a run of version 1 is pruned, and a new link covers what is left", "[ledger]") {
    {
        Ledger ledger = Ledger::open(options.ledger, 0);
        const std::vector<PrunedRun> runs = runs_to_prune(ledger, "2027-01-01");
        REQUIRE(runs.size() == 1);
        prune_run(ledger, runs.front());
        CHECK(shrink(ledger));
    }
    CHECK(ask("SELECT link, format FROM chain ORDER BY link") == Lines{"1|1", "2|3"});
    CHECK(ask_one("SELECT count(*) FROM block") == "0");
    CHECK(verify().empty());
    edit("UPDATE batch SET updated = 1");
    CHECK_THAT(verify().at(0), Catch::Contains("run 7: what is recorded of it"));
}
