#include "target/sqlite/errors.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <sqlite3.h>

namespace datachange::sqlite {

namespace {

constexpr std::array<std::pair<int, std::string_view>, 52> names{{
    {SQLITE_ERROR, "SQLITE_ERROR"},
    {SQLITE_INTERNAL, "SQLITE_INTERNAL"},
    {SQLITE_PERM, "SQLITE_PERM"},
    {SQLITE_ABORT, "SQLITE_ABORT"},
    {SQLITE_BUSY, "SQLITE_BUSY"},
    {SQLITE_LOCKED, "SQLITE_LOCKED"},
    {SQLITE_NOMEM, "SQLITE_NOMEM"},
    {SQLITE_READONLY, "SQLITE_READONLY"},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
    {SQLITE_IOERR, "SQLITE_IOERR"},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
    {SQLITE_NOTFOUND, "SQLITE_NOTFOUND"},
    {SQLITE_FULL, "SQLITE_FULL"},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN"},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL"},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA"},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG"},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH"},
    {SQLITE_MISUSE, "SQLITE_MISUSE"},
    {SQLITE_AUTH, "SQLITE_AUTH"},
    {SQLITE_RANGE, "SQLITE_RANGE"},
    {SQLITE_NOTADB, "SQLITE_NOTADB"},
    {SQLITE_BUSY_RECOVERY, "SQLITE_BUSY_RECOVERY"},
    {SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT"},
    {SQLITE_CONSTRAINT_CHECK, "SQLITE_CONSTRAINT_CHECK"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY"},
    {SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY"},
    {SQLITE_CONSTRAINT_ROWID, "SQLITE_CONSTRAINT_ROWID"},
    {SQLITE_CONSTRAINT_TRIGGER, "SQLITE_CONSTRAINT_TRIGGER"},
    {SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE"},
    {SQLITE_CONSTRAINT_VTAB, "SQLITE_CONSTRAINT_VTAB"},
#ifdef SQLITE_CONSTRAINT_DATATYPE
    {SQLITE_CONSTRAINT_DATATYPE, "SQLITE_CONSTRAINT_DATATYPE"},
#endif
    {SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED"},
    {SQLITE_READONLY_DIRECTORY, "SQLITE_READONLY_DIRECTORY"},
    {SQLITE_READONLY_ROLLBACK, "SQLITE_READONLY_ROLLBACK"},
    {SQLITE_CANTOPEN_ISDIR, "SQLITE_CANTOPEN_ISDIR"},
    {SQLITE_IOERR_READ, "SQLITE_IOERR_READ"},
    {SQLITE_IOERR_SHORT_READ, "SQLITE_IOERR_SHORT_READ"},
    {SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"},
    {SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"},
    {SQLITE_IOERR_DIR_FSYNC, "SQLITE_IOERR_DIR_FSYNC"},
    {SQLITE_IOERR_TRUNCATE, "SQLITE_IOERR_TRUNCATE"},
    {SQLITE_IOERR_FSTAT, "SQLITE_IOERR_FSTAT"},
    {SQLITE_IOERR_LOCK, "SQLITE_IOERR_LOCK"},
    {SQLITE_IOERR_UNLOCK, "SQLITE_IOERR_UNLOCK"},
    {SQLITE_IOERR_DELETE, "SQLITE_IOERR_DELETE"},
    {SQLITE_IOERR_NOMEM, "SQLITE_IOERR_NOMEM"},
    {SQLITE_IOERR_SHMOPEN, "SQLITE_IOERR_SHMOPEN"},
    {SQLITE_IOERR_SHMMAP, "SQLITE_IOERR_SHMMAP"},
}};

constexpr int primary(int code) {
    return code & 0xff;
}

bool unusable(int code) {
    static constexpr std::array<int, 5> codes{SQLITE_CANTOPEN, SQLITE_NOTADB, SQLITE_CORRUPT, SQLITE_IOERR,
                                              SQLITE_PROTOCOL};
    return code == SQLITE_READONLY_DBMOVED ||
           std::find(codes.begin(), codes.end(), primary(code)) != codes.end();
}

/// True where the message is made of names and fixed words. Those of triggers, functions and virtual tables
/// may hold anything.
bool tells_no_values(int code) {
    static constexpr std::array<int, 6> constraints{SQLITE_CONSTRAINT_CHECK,   SQLITE_CONSTRAINT_FOREIGNKEY,
                                                    SQLITE_CONSTRAINT_NOTNULL, SQLITE_CONSTRAINT_PRIMARYKEY,
                                                    SQLITE_CONSTRAINT_ROWID,   SQLITE_CONSTRAINT_UNIQUE};
    static constexpr std::array<int, 6> others{SQLITE_BUSY, SQLITE_LOCKED,    SQLITE_READONLY,
                                               SQLITE_FULL, SQLITE_INTERRUPT, SQLITE_IOERR};
    return std::find(constraints.begin(), constraints.end(), code) != constraints.end() ||
           std::find(others.begin(), others.end(), primary(code)) != others.end();
}

std::string hint_for(int code) {
    switch (primary(code)) {
        case SQLITE_BUSY:
            return "Another process holds the database; try again when it has finished.";
        case SQLITE_INTERRUPT:
            return "It was cancelled, or took longer than the statement timeout.";
        case SQLITE_FULL:
            return "Make room on the disk.";
        case SQLITE_READONLY:
            return "The file, its folder or this transaction is read-only.";
        default:
            return "";
    }
}

}  // namespace

std::string code_name(int extended_code) {
    for (const int code : {extended_code, primary(extended_code)}) {
        for (const auto& [known, name] : names) {
            if (known == code && !name.empty()) return std::string{name};
        }
    }
    return "SQLITE_" + std::to_string(extended_code);
}

DatabaseError last_error(sqlite3* database, const std::string& statement) {
    const int code = sqlite3_extended_errcode(database);
    DatabaseError error(unusable(code) ? ExitCode::unreachable : ExitCode::failed, sqlite3_errmsg(database),
                        code_name(code), statement, hint_for(code));
    if (!tells_no_values(code)) error.set_without_values(code_name(code));
    return error;
}

}  // namespace datachange::sqlite
