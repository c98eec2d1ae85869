#include <regex>
#include <string>

#include <sqlite3.h>

#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

constexpr std::size_t npos = AuditedRow::npos;

/// One row of every kind.
BatchCapture every_action() {
    BatchCapture capture;
    capture.pre = set("id,name", {R"([1,"a"])", R"([2,"b"])", R"([3,"c"])", R"([4,"d"])"});
    capture.returned = {set("id,name", {R"([1,"A"])", R"([2,"b"])", R"([3,"c"])", R"([5,"E"])"})};
    capture.post = set("id,name", {R"([1,"A"])", R"([2,"b"])", R"([4,"d"])", R"([5,"E"])"});
    capture.rows = {audited("1", Action::updated, 0, 0, {{0, 0}}),
                    audited("2", Action::unchanged, 1, 1, {{0, 1}}),
                    audited("3", Action::deleted, 2, npos, {{0, 2}}), audited("4", Action::missing, 3, 2, {}),
                    audited("5", Action::inserted, npos, 3, {{0, 3}})};
    return counted_capture(std::move(capture));
}

}  // namespace

TEST_CASE_METHOD(RecordFixture, "the ledger's views have the columns that are promised", "[ledger]") {
    open_record(options);
    const auto columns = [&](const std::string& table) {
        return join(ask("SELECT name FROM pragma_table_info('" + table + "')"), ",");
    };
    CHECK_THAT(
        columns("runs"),
        Catch::StartsWith("run_id,uuid,version,name,definition,definition_sha256,engine,target,operator,host,"
                          "ticket,mode,state,rows_changed,started_at,finished_at,error"));
    CHECK_THAT(columns("steps"), Catch::StartsWith("run_id,step,name,table_name,identifier"));
    CHECK_THAT(columns("batches"),
               Catch::StartsWith("run_id,step,batch,state,lower_key,upper_key,rows,attempts,"
                                 "started_at,duration_ms"));
    CHECK_THAT(columns("changes"), Catch::StartsWith("run_id,step,batch,identifier,action,before,after"));
    CHECK_THAT(columns("summaries"), Catch::StartsWith("run_id,moment,result"));
    CHECK_THAT(columns("failures"), Catch::StartsWith("run_id,step,batch,identifier,sqlstate,message,at"));
    CHECK_THAT(columns("collateral"),
               Catch::StartsWith("run_id,step,batch,table_name,inserted,updated,deleted"));
    CHECK_THAT(columns("events"), Catch::StartsWith("run_id,at,kind,detail"));
    CHECK_THAT(columns("approvals"), Catch::StartsWith("run_id,version,signer,detail,at"));
    CHECK_THAT(columns("files"), Catch::StartsWith("run_id,step,name,path,bytes,sha256"));
    CHECK(ask_one("SELECT count(*) FROM meta WHERE name = 'uuid' AND length(value) = 36") == "1");
}

TEST_CASE_METHOD(RecordFixture, "a run is on record with its rows before and after", "[ledger]") {
    run(every_action());
    CHECK(ask("SELECT identifier, action, before, after FROM changes ORDER BY change_id") ==
          Lines{R"(1|updated|{"id":1,"name":"a"}|{"id":1,"name":"A"})",
                R"(2|unchanged|{"id":2,"name":"b"}|{"id":2,"name":"b"})",
                R"(3|deleted|{"id":3,"name":"c"}|~)", R"(4|missing|{"id":4,"name":"d"}|{"id":4,"name":"d"})",
                R"(5|inserted|~|{"id":5,"name":"E"})"});
    CHECK(
        ask_one("SELECT run_id, state, rows_changed, engine, operator, host, ticket, error, dry_run, updated,"
                " inserted, deleted, unchanged, missing, unexpected, rows_pre, rows_returned, rows_post"
                " FROM runs") == "1|done|3|sqlite|ann|desk|OPS-1|~|0|1|1|1|1|1|0|4|4|4");
    CHECK(
        ask_one("SELECT step, name, table_name, identifier, before_columns, after_columns, returned_columns,"
                " before_types FROM steps") ==
        R"(1|~|users|id|["id","name"]|["id","name"]|[["id","name"]]|["text","text"])");
    CHECK(ask_one("SELECT step, batch, state, lower_key, upper_key, rows, attempts, started_at, duration_ms,"
                  " transaction_id FROM batches") == "1|1|committed|~|~|5|1|2026-03-01T12:00:01.000Z|5|tx");
    const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
    CHECK(std::regex_match(ask_one("SELECT finished_at FROM runs"), time));
}

TEST_CASE_METHOD(RecordFixture, "values are in the views exactly as they were captured", "[ledger]") {
    const std::string row =
        R"([1,9223372036854775807,0.10000000000000001,1.0e+300,{"$real":"inf"},true,null,"","q\"\\\n\u0001)"
        "\xc3\xa9\xf0\x9f\x8e\xb5"
        R"(",{"$text":"00ff"},{"$blob":"00ff"},"12345678901234567890","1.2300"])";
    const std::string columns =
        "id,a \"quoted\",r,R,inf,flag,none,empty,text,odd,blob,numeric,\xc3\xa9t\xc3\xa9";
    run(updates(set(columns, {row}), set(columns, {row})));
    const std::string object =
        R"({"id":1,"a \"quoted\"":9223372036854775807,"r":0.10000000000000001,"R":1.0e+300,"inf":{"$real":"inf"},)"
        R"("flag":true,"none":null,"empty":"","text":"q\"\\\n\u0001)"
        "\xc3\xa9\xf0\x9f\x8e\xb5"
        R"(","odd":{"$text":"00ff"},"blob":{"$blob":"00ff"},"numeric":"12345678901234567890",)"
        "\"\xc3\xa9t\xc3\xa9\":\"1.2300\"}";
    CHECK(ask_one("SELECT before FROM changes") == object);
    CHECK(ask_one("SELECT after FROM changes") == object);
    CHECK(ask_one("SELECT json_valid(before) FROM changes") == "1");
}

TEST_CASE_METHOD(RecordFixture, "before and after keep their own columns and order", "[ledger]") {
    BatchCapture capture = updates(set("id,a,b", {"[1,2,3]"}), set("b,id", {"[4,1]"}));
    capture.rows[0].action = Action::unchanged;  // whatever compare made of it
    run(capture);
    CHECK(ask_one("SELECT before, after FROM changes") == R"({"id":1,"a":2,"b":3}|{"b":4,"id":1})");
}

TEST_CASE_METHOD(RecordFixture, "an unchanged row that nobody read again has no image afterwards",
                 "[ledger]") {
    BatchCapture capture = updates(set("id", {"[1]"}), set("id", {}));
    capture.returned = {set("id", {"[1]"})};
    capture.rows = {audited("1", Action::unchanged, 0, npos, {{0, 0}})};
    const auto csv = run(capture);
    CHECK(ask_one("SELECT before, after FROM changes") == R"({"id":1}|~)");
    CHECK(read_file(csv[0].post) == "id\r\n");
    CHECK(read_file(csv[0].change) == "id\r\n1\r\n");
}

TEST_CASE_METHOD(RecordFixture, "evidence of keys keeps no other column, evidence of counts no row",
                 "[ledger]") {
    BatchCapture capture = every_action();
    StepHeader keys = step(1), counts = step(2);
    keys.evidence = "keys";
    counts.evidence = "counts";
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(keys);
    journal->begin_step(counts);
    stage(*journal, batch(capture, "1", 1));
    stage(*journal, batch(capture, "1", 2));
    prepare(*journal, "tx");
    settle(*journal, Outcome::committed);
    const auto csv = journal->finish({"done", "", capture.counts});
    CHECK(ask("SELECT step, identifier, action, before, after FROM changes ORDER BY change_id") ==
          Lines{R"(1|1|updated|{"id":1}|{"id":1})", R"(1|2|unchanged|{"id":2}|{"id":2})",
                R"(1|3|deleted|{"id":3}|~)", R"(1|4|missing|{"id":4}|{"id":4})",
                R"(1|5|inserted|~|{"id":5})"});
    CHECK(
        ask("SELECT step, rows, updated, inserted, deleted, unchanged, missing FROM batches ORDER BY step") ==
        Lines{"1|5|1|1|1|1|1", "2|5|1|1|1|1|1"});
    CHECK(read_file(csv[0].change) == "id\r\n1\r\n2\r\n3\r\n5\r\n");
    CHECK(read_file(options.ledger).find("\"E\"") == std::string::npos);
    CHECK(csv[1].pre.empty());
}

TEST_CASE_METHOD(RecordFixture, "a changed identifier is found by the old and the new one", "[ledger]") {
    BatchCapture capture = updates(set("id,name", {R"([1,"a"])"}), set("id,name", {R"([101,"a"])"}));
    capture.returned = {set("was_id,id", {"[1,101]"})};
    capture.rows[0].new_identifier = "101";
    run(capture);
    CHECK(ask_one("SELECT identifier, new_identifier, before, after FROM changes") ==
          R"(1|101|{"id":1,"name":"a"}|{"id":101,"name":"a"})");
    const LedgerReader reader(options.ledger);
    for (const char* identifier : {"1", "101"}) {
        const auto history = reader.history("users", identifier);
        REQUIRE(history.size() == 1);
        CHECK(history[0].identifier == "1");
        CHECK(history[0].new_identifier == "101");
    }
}

TEST_CASE_METHOD(RecordFixture, "columns that change between batches stop the run", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    commit(*journal, names_filled(1, 2));
    const BatchCapture other = updates(set("id,nom", {"[3,1]"}), set("id,nom", {"[3,2]"}));
    const Error error = error_of([&] {
        stage(*journal, batch(other, "2"));
        prepare(*journal);
    });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK_THAT(error.what(), Catch::Contains("id, nom instead of id, name"));
    discard();
    commit(*journal, names_filled(3, 3), "2");
}

TEST_CASE_METHOD(RecordFixture, "summaries, events and collateral are kept in order", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    journal->summary(1, "before", set("total,missing", {"[3,2]"}));
    journal->event("retry", "40001");
    journal->event("note", "again");
    const BatchCapture capture = names_filled(1, 1);
    Batch record = batch(capture);
    record.record.collateral = {{"songs", 1, 2, 3}, {"moods", 0, 0, 1}};
    stage(*journal, record);
    journal->summary(1, "after", set("total,missing", {"[3,0]"}));
    prepare(*journal, "tx");
    settle(*journal, Outcome::committed);
    journal->finish({"done", "", capture.counts});

    const LedgerReader reader(options.ledger);
    const auto summaries = reader.summaries(1);
    REQUIRE(summaries.size() == 2);
    CHECK(summaries[0].moment == "before");
    CHECK(summaries[0].result == R"([{"total":3,"missing":2}])");
    CHECK(summaries[1].result == R"([{"total":3,"missing":0}])");
    const auto events = reader.events(1);
    REQUIRE(events.size() == 2);
    CHECK(events[0].kind == "retry");
    CHECK(events[1].detail == "again");
    const auto collateral = reader.collateral(1);
    REQUIRE(collateral.size() == 2);
    CHECK(collateral[1].rows.table == "songs");
    CHECK(collateral[1].rows.deleted == 3);
    CHECK(reader.failures(1).empty());
    CHECK(reader.definition(1) == header().definition);
}

TEST_CASE_METHOD(RecordFixture, "a spooled set comes back as it was given", "[ledger]") {
    RowSet rows({{"id", "bigint", "public.users", "id"}, {"v", "", "", ""}});
    const std::vector<Value> values{{},
                                    {ValueKind::boolean, "t"},
                                    {ValueKind::integer, "-5"},
                                    {ValueKind::real, "1.0e+300"},
                                    {ValueKind::real, "-inf"},
                                    {ValueKind::text, ""},
                                    {ValueKind::text, std::string("a\0\xff", 3)},
                                    {ValueKind::blob, std::string("\0", 1)}};
    for (std::size_t i = 0; i < values.size(); ++i) {
        rows.add(Value::integer(static_cast<std::int64_t>(i)).view());
        rows.add(values[i].view());
    }
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    journal->spool(1, rows);
    journal->spool(1, rows);
    const RowSet all = journal->spooled(1, 0, 100);
    CHECK(all.columns() == rows.columns());
    REQUIRE(all.size() == 16);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(all.value(i, 1) == values[i % 8]);
    const RowSet piece = journal->spooled(1, 7, 2);
    REQUIRE(piece.size() == 2);
    CHECK(piece.text(0, 0) == "7");
    CHECK(piece.text(1, 0) == "0");
    CHECK(journal->spooled(1, 16, 5).empty());
    CHECK(journal->spooled(1, 16, 5).columns() == rows.columns());

    journal->finish({"done", "", {}});
    CHECK(ask_one("SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM spool_columns)") == "0");
}

TEST_CASE_METHOD(RecordFixture, "two runs write to one ledger side by side", "[ledger]") {
    const auto first = open_record(options), second = open_record(options);
    CHECK(first->begin_run(header("aaaaaaaa-0000-4000-8000-000000000001")) == 1);
    CHECK(second->begin_run(header("aaaaaaaa-0000-4000-8000-000000000002")) == 2);
    first->begin_step(step());
    second->begin_step(step());
    const BatchCapture low = names_filled(1, 3), high = names_filled(11, 12);
    commit(*first, low, "1");
    commit(*second, high, "1");
    commit(*first, names_filled(4, 4), "2");
    {
        SQLite::Database somebody(options.ledger, SQLite::OPEN_READWRITE);
        somebody.exec("BEGIN IMMEDIATE");
        const BatchCapture next = names_filled(13, 13);
        CHECK_THAT(error_of([&] { commit(*second, next, "2"); }).what(), Catch::Contains("is locked"));
        discard();
    }
    commit(*second, names_filled(13, 13), "2");
    const auto csv_second = second->finish({"done", "", high.counts});
    const auto csv_first = first->finish({"done", "", low.counts});
    CHECK(read_file(csv_first[0].post) == "id,name\r\n1,n1\r\n2,n2\r\n3,n3\r\n4,n4\r\n");
    CHECK(read_file(csv_second[0].post) == "id,name\r\n11,n11\r\n12,n12\r\n13,n13\r\n");
    CHECK(fs::path(csv_first[0].post).parent_path().filename() == "1-aaaaaaaa");
    CHECK(fs::path(csv_second[0].post).parent_path().filename() == "2-aaaaaaaa");
    CHECK(ask("SELECT run_id, count(*) FROM changes GROUP BY run_id") == Lines{"1|4", "2|3"});
    CHECK(ask("SELECT run_id FROM chain ORDER BY link") == Lines{"2", "1"});
}

TEST_CASE_METHOD(RecordFixture, "the ledger is hardly larger than what it tells", "[ledger]") {
    const auto [name, most] = GENERATE(std::pair{"First Last", 1.6}, std::pair{"", 2.0});
    CAPTURE(name);
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    constexpr int batches = 20, rows = 5'000;
    for (int i = 0; i < batches; ++i) {
        RowSet pre({{"id", "integer", "", ""}, {"name", "text", "", ""}}), post(pre.columns());
        for (int id = i * rows + 1; id <= (i + 1) * rows; ++id) {
            pre.add(Value::integer(id).view());
            pre.add({});
            post.add(Value::integer(id).view());
            post.add(ValueKind::text, name + std::to_string(id));
        }
        commit(*journal, updates(std::move(pre), std::move(post)), std::to_string(i + 1));
    }
    const auto csv = journal->finish({"done", "", {}});
    const auto told = static_cast<double>(fs::file_size(csv[0].pre) + fs::file_size(csv[0].post));
    CHECK(static_cast<double>(fs::file_size(options.ledger)) < most * told);
}

TEST_CASE_METHOD(RecordFixture, "the history of one row is found without reading the ledger", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    constexpr int batches = 20, rows = 10'000;
    for (int i = 0; i < batches; ++i) {
        commit(*journal, names_filled(i * rows + 1, (i + 1) * rows), std::to_string(i + 1));
    }
    journal->finish({"done", "", {}});

    const auto history = LedgerReader(options.ledger).history("users", "123456");
    REQUIRE(history.size() == 1);
    CHECK(history[0].batch == "13");
    CHECK(history[0].after == R"({"id":123456,"name":"n123456"})");

    const SQLite::Database database(options.ledger, SQLite::OPEN_READONLY);
    const auto full_scan_steps = [&](const std::string& where) {
        SQLite::Statement query(database, "SELECT count(*), max(after) FROM changes WHERE " + where);
        query.executeStep();
        sqlite3_stmt* const raw = sqlite3_next_stmt(database.getHandle(), nullptr);
        return sqlite3_stmt_status(raw, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    };
    CHECK(full_scan_steps("identifier = '123456'") < 2'000);  // the rows of the blocks that it may be in
    const auto plan = [&](const std::string& where) {
        SQLite::Statement explain(database, "EXPLAIN QUERY PLAN SELECT * FROM changes WHERE " + where);
        std::string steps;
        while (explain.executeStep()) steps += explain.getColumn(3).getString() + "\n";
        return steps;
    };
    const std::string by_identifier = plan("identifier = '123456'");
    CHECK_THAT(by_identifier, Catch::Contains("SEARCH k USING INDEX block_identifiers (lowest<?)"));
    CHECK_THAT(by_identifier, Catch::Contains("SEARCH b USING INTEGER PRIMARY KEY"));
    CHECK_THAT(plan("new_identifier = '1' AND '1' BETWEEN lowest AND highest"),
               Catch::Contains("SEARCH k USING INDEX block_identifiers (lowest<?)"));
    const std::string by_run = plan("run_id = 1 AND step = 1");
    CHECK_THAT(by_run, Catch::Contains("SEARCH b USING INDEX"));
    CHECK_THAT(by_run, Catch::Contains("SEARCH k USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
}
