#include <string>

#include <sqlite3.h>

#include "record/ledger/ledger.hpp"
#include "record_fixture.hpp"

using namespace datachange;
using namespace datachange::testing;

namespace {

/// For as long as it lives, files are opened through it, and write-ahead logs can be made to fail when they
/// are brought to the disk.
class FailingSync {
public:
    FailingSync() {
        s_real = sqlite3_vfs_find(nullptr);
        m_vfs = *s_real;
        m_vfs.zName = "failing-sync";
        m_vfs.pNext = nullptr;
        m_vfs.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* given) {
            const int code = s_real->xOpen(s_real, name, file, flags, given);
            if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
                s_methods = file->pMethods;
                s_patched = *s_methods;
                s_patched.xSync = [](sqlite3_file* synced, int how) {
                    return s_failing ? SQLITE_IOERR_FSYNC : s_methods->xSync(synced, how);
                };
                file->pMethods = &s_patched;
            }
            return code;
        };
        sqlite3_vfs_register(&m_vfs, 1);
    }
    ~FailingSync() {
        s_failing = false;
        sqlite3_vfs_unregister(&m_vfs);
        sqlite3_vfs_register(s_real, 1);
    }
    FailingSync(const FailingSync&) = delete;
    FailingSync& operator=(const FailingSync&) = delete;

    void fail(bool failing) { s_failing = failing; }

private:
    static inline sqlite3_vfs* s_real = nullptr;
    static inline const sqlite3_io_methods* s_methods = nullptr;
    static inline sqlite3_io_methods s_patched{};
    static inline bool s_failing = false;
    sqlite3_vfs m_vfs{};
};

}  // namespace

TEST_CASE_METHOD(RecordFixture, "after a sync that failed nothing more is written, and the run can go on",
                 "[ledger]") {
    FailingSync disk;
    std::vector<CommittedBatch> committed;
    {
        const auto journal = open_record(options);
        journal->begin_run(header());
        journal->begin_step(step());
        const BatchCapture first = names_filled(1, 2), second = names_filled(3, 3);
        committed.push_back({1, "1", {}, 2, stage(*journal, batch(first)), journal->ledger_uuid()});
        prepare(*journal, "tx");
        settle(*journal, Outcome::committed);
        stage(*journal, batch(second, "2"));
        disk.fail(true);
        const Error error = error_of([&] { prepare(*journal, "tx"); });
        CHECK(error.code() == ExitCode::unreachable);
        CHECK_THAT(error.what(), Catch::Contains("could not be brought to its disk"));
        CHECK_THAT(error.hint(), Catch::Contains("Nothing of the batch in hand was changed in the target") &&
                                     Catch::Contains("what is committed is kept") &&
                                     Catch::Contains("`datachange resume 1`"));
        disk.fail(false);  // the system forgets that it has failed
        discard();
        CHECK_THROWS_AS(journal->event("note", "as if nothing had happened"), Error);
        CHECK_THROWS_AS(record(*journal, batch(second, "2")), Error);
        discard();
        CHECK_THROWS_AS(journal->finish({"failed", "the disk", {}, true}), Error);
    }
    CHECK(ask("SELECT 1 FROM events").empty());
    const auto journal = open_record(options);
    CHECK(journal->resume_run(taken(), {step()}, committed).steps.at(0).batches == 1);
    commit(*journal, names_filled(3, 3), "2");
    const auto csv = journal->finish({"done", "", {}});
    CHECK(read_file(csv[0].post) == "id,name\r\n1,n1\r\n2,n2\r\n3,n3\r\n");
}

TEST_CASE_METHOD(RecordFixture,
                 "a ledger that another program keeps locked says what was kept and what to do", "[ledger]") {
    const auto journal = open_record(options);
    journal->begin_run(header());
    journal->begin_step(step());
    const BatchCapture capture = names_filled(1, 2);
    SQLite::Database other(options.ledger, SQLite::OPEN_READWRITE);
    SECTION("before the target commits") {
        other.exec("BEGIN IMMEDIATE");
        const Error error = error_of([&] { record(*journal, batch(capture)); });
        CHECK_THAT(error.what(), Catch::Contains("is locked by another process"));
        CHECK_THAT(error.hint(), Catch::Contains("Nothing of the batch in hand was changed in the target") &&
                                     Catch::Contains("close that, or wait") &&
                                     Catch::Contains("then `datachange resume 1`"));
    }
    SECTION("when nobody knows whether it has committed") {
        stage(*journal, batch(capture));
        prepare(*journal, "tx");
        other.exec("BEGIN IMMEDIATE");
        const Error error = error_of([&] { settle(*journal, Outcome::in_doubt); });
        CHECK_THAT(error.hint(), Catch::Contains("What became of the batch in hand is not known") &&
                                     !Catch::Contains("Nothing of the batch"));
    }
    SECTION("when it has committed") {
        commit(*journal, capture);
        other.exec("BEGIN IMMEDIATE");
        const Error error = error_of([&] { journal->finish({"done", "", {}}); });
        CHECK_THAT(error.hint(), Catch::Contains("What the target has committed stays") &&
                                     !Catch::Contains("Nothing of the batch"));
        other.exec("ROLLBACK");
        journal->finish({"done", "", {}});
        CHECK(ask_one("SELECT state FROM runs") == "done");
    }
}

TEST_CASE("a full disk is told from one that fails, and both say what to do", "[ledger]") {
    const Error full = ledger_failure("l.db", SQLite::Exception("full", SQLITE_FULL), {7});
    CHECK(std::string(full.what()) == "the ledger l.db has no room on its disk");
    CHECK(full.hint() ==
          "Nothing of the batch in hand was changed in the target, and what is committed is kept. Make room "
          "there, "
          "then `datachange resume 7`.");
    const Error failed = ledger_failure("l.db", SQLite::Exception("disk I/O error", SQLITE_IOERR_WRITE));
    CHECK(std::string(failed.what()) == "the disk of the ledger l.db failed: disk I/O error");
    CHECK_THAT(failed.hint(), Catch::EndsWith("then try again."));
}
