#include "run/error_class.hpp"

#include <string>

#include "support/catch.hpp"

using namespace datachange;

namespace {

void check_all(ErrorClass kind, std::initializer_list<const char*> codes) {
    for (const char* code : codes) {
        INFO(code);
        CHECK(classify(code) == kind);
    }
}

}  // namespace

TEST_CASE("a serialization failure is a class of its own") {
    check_all(ErrorClass::serialization, {"40001"});
}

TEST_CASE("deadlocks, locks and connections that could not be had are tried again") {
    check_all(ErrorClass::transient,
              {"40P01", "55P03", "53300", "53400", "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT",
               "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED", "SQLITE_LOCKED_SHAREDCACHE"});
}

TEST_CASE("a session that is gone is opened again") {
    check_all(ErrorClass::connection,
              {"08000", "08003", "08006", "57P01", "57P02", "57P03", "57P05", "25P03"});
}

TEST_CASE("a cancelled statement may have been too large a batch") {
    check_all(ErrorClass::too_long, {"57014", "SQLITE_INTERRUPT"});
}

TEST_CASE("a row that the target refuses is an error of the data") {
    check_all(ErrorClass::data,
              {"22001", "22012", "22P02", "23502", "23503", "23505", "23514", "23P01", "40002", "44000",
               "P0001", "SQLITE_CONSTRAINT", "SQLITE_CONSTRAINT_CHECK", "SQLITE_CONSTRAINT_FOREIGNKEY",
               "SQLITE_CONSTRAINT_TRIGGER", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_MISMATCH"});
}

TEST_CASE("what would fail again is not tried again") {
    check_all(ErrorClass::other, {"",
                                  "00000",
                                  "40000",
                                  "40003",
                                  "25P02",
                                  "42601",
                                  "42P01",
                                  "42501",
                                  "53100",
                                  "54000",
                                  "55000",
                                  "57000",
                                  "P0002",
                                  "XX000",
                                  "SQLITE_ERROR",
                                  "SQLITE_FULL",
                                  "SQLITE_IOERR_WRITE",
                                  "SQLITE_READONLY",
                                  "SQLITE_BUSYBODY",
                                  "SQLITE_"});
}
