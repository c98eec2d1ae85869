#include <fstream>
#include <string>

#include "core/batch_path.hpp"
#include "core/hash.hpp"
#include "record/csv/csv_value.hpp"
#include "record/csv/run_folder.hpp"
#include "record/ledger/json_cells.hpp"
#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

constexpr std::size_t npos = AuditedRow::npos;

std::string field(const std::string& json) {
    std::string memory;
    return std::string{csv_value(json, memory)};
}

/// A line of /proc/self/status in kilobytes.
std::size_t memory(const std::string& key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key)) return std::stoul(line.substr(key.size()));
    }
    return 0;
}

}  // namespace

TEST_CASE("a value has one form as a CSV field", "[csv]") {
    CHECK(field("null").empty());
    CHECK(field("\"\"") == "\"\"");
    CHECK(field("true") == "t");
    CHECK(field("false") == "f");
    CHECK(field("-9223372036854775808") == "-9223372036854775808");
    CHECK(field("0.10000000000000001") == "0.10000000000000001");
    CHECK(field(R"({"$real":"-inf"})") == "-inf");
    CHECK(field(R"({"$blob":"00ff"})") == "\\x00ff");
    CHECK(field(R"({"$blob":""})") == "\\x");
    CHECK(field(R"({"$text":"610062"})") == "\\x610062");
    CHECK(field(R"({"$hmac":"00ff"})") == "hmac:00ff");
    CHECK(field("\"plain \xc3\xa9 text\"") == "plain \xc3\xa9 text");
    CHECK(field("\"a,b\"") == "\"a,b\"");
    CHECK(field(R"("say \"hi\"")") == R"("say ""hi""")");
    CHECK(field(R"("a\nb")") == "\"a\nb\"");
    CHECK(field(R"("a\rb")") == "\"a\rb\"");
    CHECK(field(R"("tab\tand\u0001")") == "tab\tand\x01");
    CHECK(field("\" lead\"") == "\" lead\"");
    CHECK(field("\"trail \"") == "\"trail \"");
    CHECK(field(R"("C:\\x")") == "C:\\x");
    CHECK(field("\"NULL\"") == "NULL");
    CHECK(field("\"{\\\"$blob\\\":1}\"") == R"("{""$blob"":1}")");
}

TEST_CASE("a stored array is taken apart without being decoded", "[csv]") {
    std::vector<std::string_view> cells;
    split_json_array(R"([1,"a\"],[\\",{"$blob":"00"},[2,"]"],null])", cells);
    REQUIRE(cells.size() == 5);
    CHECK(cells[1] == R"("a\"],[\\")");
    CHECK(cells[3] == R"([2,"]"])");
    split_json_array("[]", cells);
    CHECK(cells.empty());
    for (const char* text : {"", "1", "[", "[1", "[\"a]", "[1]]", "[[1]"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(split_json_array(text, cells), std::invalid_argument);
    }
}

TEST_CASE("batches come in the order of their paths", "[csv]") {
    std::vector<std::string> paths{"10", "7.2", "8", "7.10", "2", "7", "7.1", "7.1.1"};
    std::sort(paths.begin(), paths.end(), batch_path_less);
    CHECK(paths == Lines{"2", "7", "7.1", "7.1.1", "7.2", "7.10", "8", "10"});
}

TEST_CASE("names become parts of file names", "[csv]") {
    CHECK(file_name_part("app.\"User\"") == "app.User");
    CHECK(file_name_part("../a b/c") == ".._a_b_c");
    CHECK(file_name_part("\xc3\xa9t\xc3\xa9") == "\xc3\xa9t\xc3\xa9");
    CHECK(file_name_part("x" + std::string(200, 'y')).size() == 120);
    std::string letters = "x";
    for (int i = 0; i < 100; ++i) letters += "\xc3\xa9";
    CHECK(file_name_part(letters).size() == 119);
}

TEST_CASE_METHOD(RecordFixture, "the four files say what happened to each row, byte for byte", "[csv]") {
    BatchCapture capture;
    capture.pre = set("id,name,note", {R"([1,null,"x"])", R"([2,"","y, z"])", R"([3,"c",null])",
                                       R"([4,"d","\"q\""])", R"([6,"f","a\r\nb"])"});
    capture.returned = {
        set("id,name", {R"([1,"A"])", R"([2,""])", R"([3,"c"])", R"([5,"E"])", R"([6,"F"])"})};
    capture.post = set("id,name,note", {R"([1,"A","x"])", R"([2,"","y, z"])", R"([4,"d","\"q\""])",
                                        R"([5,"E",null])", R"([6,"F","a\r\nB"])"});
    capture.rows = {
        audited("1", Action::updated, 0, 0, {{0, 0}}),     audited("2", Action::unchanged, 1, 1, {{0, 1}}),
        audited("3", Action::deleted, 2, npos, {{0, 2}}),  audited("4", Action::missing, 3, 2, {}),
        audited("5", Action::inserted, npos, 3, {{0, 3}}), audited("6", Action::updated, 4, 4, {{0, 4}})};
    const auto csv = run(counted_capture(std::move(capture)));
    CHECK(read_file(csv[0].pre) ==
          "id,name,note\r\n1,,x\r\n2,\"\",\"y, z\"\r\n3,c,\r\n4,d,\"\"\"q\"\"\"\r\n6,f,\"a\r\nb\"\r\n");
    CHECK(read_file(csv[0].change) == "id,name\r\n1,A\r\n2,\"\"\r\n3,c\r\n5,E\r\n6,F\r\n");
    CHECK(read_file(csv[0].post) ==
          "id,name,note\r\n1,A,x\r\n2,\"\",\"y, z\"\r\n4,d,\"\"\"q\"\"\"\r\n5,E,\r\n6,F,\"a\r\nB\"\r\n");
    CHECK(read_file(csv[0].diff) ==
          "identifier,action,column,before,after\r\n"
          "1,updated,name,,A\r\n"
          "3,deleted,id,3,\r\n3,deleted,name,c,\r\n3,deleted,note,,\r\n"
          "5,inserted,id,,5\r\n5,inserted,name,,E\r\n5,inserted,note,,\r\n"
          "6,updated,name,f,F\r\n6,updated,note,\"a\r\nb\",\"a\r\nB\"\r\n");

    const std::string place = options.csv_dir + "/20260301120000_backfill_names/1-01234567";
    CHECK(csv[0].pre == place + "/pre.csv");
    CHECK(file_names(place) == Lines{"change.csv", "diff.csv", "post.csv", "pre.csv"});
    const auto files = LedgerReader(options.ledger).files(1);
    REQUIRE(files.size() == 4);
    for (const LedgerFile& file : files) {
        CHECK(file.path == place + "/" + file.name);
        CHECK(file.bytes == read_file(file.path).size());
        CHECK(file.sha256 == sha256(read_file(file.path)));
    }
    CHECK(ask_one("SELECT csv_directory FROM runs") == place);
}

TEST_CASE_METHOD(RecordFixture, "values of every kind are in the files as they are", "[csv]") {
    const std::string columns = "id,real,big,flag,blob,odd,emoji";
    const auto csv = run(updates(
        set(columns, {R"([1,0.5,9223372036854775807,true,{"$blob":"00ff"},{"$text":"ff"},"x"])"}),
        set(columns,
            {R"([1,0.10000000000000001,9223372036854775806,false,{"$blob":""},null,"👩‍🚀"])"})));
    CHECK(read_file(csv[0].pre) == columns + "\r\n1,0.5,9223372036854775807,t,\\x00ff,\\xff,x\r\n");
    CHECK(read_file(csv[0].post) ==
          columns + "\r\n1,0.10000000000000001,9223372036854775806,f,\\x,,👩‍🚀\r\n");
}

TEST_CASE_METHOD(RecordFixture, "a composite identifier and odd column names are quoted", "[csv]") {
    BatchCapture capture = updates(set("a,b,the \"name\"", {R"(["1","x",0])"}), set("a,b,the \"name\"", {}));
    capture.rows = {audited(R"(["1","x"])", Action::deleted, 0, npos, {})};
    capture.returned.clear();
    StepHeader header_of_step = step();
    header_of_step.identifier = {"a", "b"};
    const auto csv = run(capture, header_of_step);
    CHECK(ask_one("SELECT identifier FROM steps") == "a, b");
    CHECK(read_file(csv[0].pre) == "a,b,\"the \"\"name\"\"\"\r\n1,x,0\r\n");
    CHECK(read_file(csv[0].change) == "a,b\r\n");
    CHECK_THAT(read_file(csv[0].diff), Catch::Contains("\r\n\"[\"\"1\"\",\"\"x\"\"]\",deleted,a,1,\r\n"));
}

TEST_CASE_METHOD(RecordFixture, "a changed identifier is in the diff", "[csv]") {
    BatchCapture capture =
        updates(set("id,name", {R"([1,"a"])", R"([2,"b"])"}), set("id,name", {R"([101,"a"])", R"([2,"B"])"}));
    capture.returned = {set("was_id,id,name", {R"([1,101,"a"])", R"([2,2,"B"])"})};
    capture.rows[0].new_identifier = "101";
    const auto csv = run(capture);
    CHECK(read_file(csv[0].diff) ==
          "identifier,action,column,before,after\r\n1,updated,id,1,101\r\n2,updated,name,b,B\r\n");
    CHECK(read_file(csv[0].change) == "was_id,id,name\r\n1,101,a\r\n2,2,B\r\n");
}

TEST_CASE_METHOD(RecordFixture, "a value that only changes its type has a line where nothing else differs",
                 "[csv]") {
    const auto csv = run(updates(set("id,a,b", {R"([1,"5","x"])", R"([2,"5","x"])"}),
                                 set("id,a,b", {R"([1,5,"y"])", R"([2,5,"x"])"})));
    CHECK(read_file(csv[0].diff) ==
          "identifier,action,column,before,after\r\n1,updated,b,x,y\r\n2,updated,a,5,5\r\n");
}

TEST_CASE_METHOD(RecordFixture, "what several statements returned is in one file, by name and in order",
                 "[csv]") {
    BatchCapture capture;
    capture.pre = set("id,a,b", {"[1,1,1]", "[2,2,2]", "[3,3,3]"});
    capture.post = set("id,a,b", {"[1,10,1]", "[2,10,20]"});
    // the second statement found row 1 as the first had left it, and said so; a trigger made something else
    // of row 3
    capture.returned = {set("id,a", {"[1,10]", "[2,9]"}), set("id,b", {"[2,20]", "[1,1]", "[3,3]"})};
    capture.rows = {audited("1", Action::updated, 0, 0, {{0, 0}, {1, 1}}),
                    audited("2", Action::updated, 1, 1, {{0, 1}, {1, 0}}),
                    audited("3", Action::deleted, 2, npos, {{1, 2}})};
    const auto csv = run(counted_capture(std::move(capture)));
    CHECK(read_file(csv[0].change) == "id,a,b\r\n1,10,\r\n1,,1\r\n2,9,\r\n2,,20\r\n3,,3\r\n");
    CHECK(ask("SELECT coalesce(returned, '-') FROM change") ==
          Lines{"[[1],[2]]", "[[1,[2,9]],[2]]", "[[2]]"});
    CHECK(ask_one("SELECT returned_columns FROM steps") == R"([["id","a"],["id","b"]])");
}

TEST_CASE_METHOD(RecordFixture, "a row that a cascade deleted is not in change.csv", "[csv]") {
    BatchCapture capture = updates(set("id", {"[1]", "[2]"}), set("id", {}));
    capture.returned = {set("id", {"[1]"})};
    capture.rows = {audited("1", Action::deleted, 0, npos, {{0, 0}}),
                    audited("2", Action::deleted, 1, npos, {})};
    const auto csv = run(counted_capture(std::move(capture)));
    CHECK(read_file(csv[0].change) == "id\r\n1\r\n");
    CHECK(read_file(csv[0].pre) == "id\r\n1\r\n2\r\n");
}

TEST_CASE_METHOD(RecordFixture, "an empty set gives files with a header line", "[csv]") {
    const auto csv = run(updates(set("id,name", {}), set("id,name", {})));
    for (const std::string& file : {csv[0].pre, csv[0].change, csv[0].post})
        CHECK(read_file(file) == "id,name\r\n");
    CHECK(read_file(csv[0].diff) == "identifier,action,column,before,after\r\n");
}

TEST_CASE_METHOD(RecordFixture, "the files of several steps and watched tables have names of their own",
                 "[csv]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    StepHeader first = step(1, "app.\"User\""), second = step(2, "songs"), third = step(3, "moods"),
               watch = step(4, "song moods");
    first.name = "merge users";
    watch.watch_of = 2;
    watch.name = "watch_song moods";
    for (const StepHeader& header_of_step : {first, second, third, watch})
        journal->begin_step(header_of_step);
    const BatchCapture capture = names_filled(1, 1);
    BatchCapture watched = names_filled(9, 9);
    watched.returned.clear();
    watched.rows[0].returned.clear();
    stage(*journal, batch(capture, "1", 1));
    stage(*journal, batch(capture, "1", 2));
    stage(*journal, batch(watched, "1", 4));
    prepare(*journal, "tx");
    settle(*journal, Outcome::committed);
    const auto csv = journal->finish({"done", "", capture.counts});
    REQUIRE(csv.size() == 4);
    CHECK(csv[2].pre.empty());
    CHECK(csv[3].change.empty());
    CHECK(read_file(csv[3].diff) == "identifier,action,column,before,after\r\n9,updated,name,,n9\r\n");
    CHECK(file_names(journal->csv_directory()) ==
          Lines{"1_merge_users.change.csv", "1_merge_users.diff.csv", "1_merge_users.post.csv",
                "1_merge_users.pre.csv", "2_songs.change.csv", "2_songs.diff.csv", "2_songs.post.csv",
                "2_songs.pre.csv", "4_watch_song_moods.diff.csv", "4_watch_song_moods.post.csv",
                "4_watch_song_moods.pre.csv"});
    CHECK(ask("SELECT step, watch_of FROM steps WHERE watch_of IS NOT NULL") == Lines{"4|2"});
}

TEST_CASE_METHOD(RecordFixture, "rows come in key order whatever order the batches ran in", "[csv]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    for (const auto& [path, id] :
         {std::pair{"10", 6}, {"7.2", 3}, {"8", 5}, {"2", 1}, {"7.10", 4}, {"7.1", 2}}) {
        commit(*journal, names_filled(id, id), path);
    }
    const auto csv = journal->finish({"done", "", {}});
    CHECK(read_file(csv[0].pre) == "id,name\r\n1,\r\n2,\r\n3,\r\n4,\r\n5,\r\n6,\r\n");
    const LedgerReader reader(options.ledger);
    CHECK(reader.batches(1)[1].batch == "7.1");
    CHECK(reader.batches(1)[3].batch == "7.10");
}

TEST_CASE_METHOD(RecordFixture, "a failed run has files only of what was committed", "[csv]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    const std::string place = journal->csv_directory();
    CHECK(file_names(place) ==
          Lines{"change.csv.partial", "diff.csv.partial", "post.csv.partial", "pre.csv.partial"});
    journal->begin_step(step(1));
    journal->begin_step(step(2, "songs"));
    SECTION("nothing") {
        CHECK(journal->finish({"failed", "it broke", {}})[0].pre.empty());
        CHECK_FALSE(fs::exists(place));
        CHECK(journal->csv_directory().empty());
        CHECK(ask_one("SELECT csv_directory FROM runs") == "~");
    }
    SECTION("the first batch of the first step") {
        commit(*journal, names_filled(1, 1), "1", 1);
        const BatchCapture more = names_filled(2, 2);
        stage(*journal, batch(more, "2", 1));
        discard();
        const auto csv = journal->finish({"failed", "it broke", {}});
        CHECK(read_file(csv[0].post) == "id,name\r\n1,n1\r\n");
        CHECK(csv[1].post.empty());
        CHECK(file_names(place) ==
              Lines{"1_users.change.csv", "1_users.diff.csv", "1_users.post.csv", "1_users.pre.csv"});
    }
}

TEST_CASE_METHOD(RecordFixture, "a folder that cannot be made is reported before the run begins", "[csv]") {
    SECTION("below a file") {
        write_file(folder.file("file"), "");
        options.csv_dir = folder.file("file/csv");
    }
    SECTION("where no file can be") {
        options.csv_dir = "/proc/datachange";
    }
    SECTION("a file of that name") {
        write_file(options.csv_dir, "");
    }
    const auto journal = open_record(options);
    const Error error = error_of([&] { journal->begin_run(header()); });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK_THAT(error.what(), Catch::Contains("cannot create the folder"));
    CHECK_THAT(error.hint(), Catch::Contains("--csv-dir"));
    CHECK(ask("SELECT 1 FROM runs").empty());
}

TEST_CASE_METHOD(RecordFixture, "files that cannot be written take nothing away from the ledger", "[csv]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    const BatchCapture capture = names_filled(1, 2);
    commit(*journal, capture);
    lose_csv_folder();
    const Error error = error_of([&] { journal->finish({"done", "", capture.counts}); });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK_THAT(error.what(), Catch::Contains("No such file or directory"));
    CHECK_THAT(error.hint(), Catch::Contains("the ledger holds every row") && Catch::Contains("run 1") &&
                                 !Catch::Contains("resume"));
    CHECK_THROWS_AS(journal->finish({"failed", error.what(), {}}),
                    Error);  // as who gives up after an error does
    CHECK(ask_one("SELECT state, rows_changed, error FROM runs") == "done|2|~");
    CHECK(ask_one("SELECT count(*) FROM chain") == "1");
    CHECK(ask_one("SELECT count(*) FROM changes") == "2");
    CHECK(ask("SELECT 1 FROM files").empty());
}

TEST_CASE_METHOD(RecordFixture, "a dry run whose files cannot be written is on record all the same",
                 "[csv]") {
    const auto journal = open_rehearsal_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    const BatchCapture capture = names_filled(1, 2);
    stage(*journal, batch(capture));
    prepare(*journal, "tx");
    settle(*journal, Outcome::committed);
    lose_csv_folder();
    const Error error = error_of([&] { journal->finish({"done", "", capture.counts}); });
    CHECK_THAT(error.hint(), Catch::Contains("Nothing was changed"));
    CHECK_THROWS_AS(journal->finish({"failed", error.what(), {}}), Error);
    CHECK(ask("SELECT dry_run, state FROM runs") == Lines{"1|done"});
}

TEST_CASE_METHOD(RecordFixture, "a large run is rendered without being loaded", "[csv]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    constexpr int batches = 20, rows = 10'000;
    const std::string filler(200, 'x');
    for (int i = 0; i < batches; ++i) {
        RowSet pre({{"id", "integer", "", ""}, {"text", "text", "", ""}}), post(pre.columns());
        for (int row = 0; row < rows; ++row) {
            pre.add(Value::integer(i * rows + row).view());
            pre.add(ValueKind::text, filler);
            post.add(Value::integer(i * rows + row).view());
            post.add(ValueKind::text, filler + "y");
        }
        commit(*journal, updates(std::move(pre), std::move(post)), std::to_string(i + 1));
    }
    std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew
    const std::size_t before = memory("VmRSS:");
    const auto csv = journal->finish({"done", "", {}});
    const std::size_t peak = memory("VmHWM:");
    CHECK(fs::file_size(csv[0].diff) > 80'000'000);
    CHECK(peak < before + 32 * 1024);
}
