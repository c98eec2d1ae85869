#include "record/ledger/ledger.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/hash.hpp"
#include "record/ledger/ledger_reader.hpp"
#include "record/ledger/schema.hpp"
#include "record/ledger/upgrade.hpp"

namespace datachange {

namespace {

constexpr const char* choose_another = "Name another file with --ledger; this one was left as it is.";

/// Makes an empty file that only this user can read, whatever the umask; one that is there already is not
/// touched, nor even opened: closing a descriptor of a database file drops all locks that this process holds
/// on it.
/// @return true if it was made.
bool make_private_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) {
        if (errno == EEXIST) return false;
        throw Error(ExitCode::unreachable,
                    fmt::format("cannot create the ledger {}: {}", path, std::strerror(errno)),
                    "Its folder must be there and writable; or name another file with --ledger.");
    }
    ::fchmod(file, S_IRUSR | S_IWUSR);
    ::close(file);
    return true;
}

bool sync_failed(int code) {
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

/// Takes the place of SQLite's own, which brings the log into the file.
int note_log_pages(void* place, sqlite3*, const char*, int pages) {
    *static_cast<int*>(place) = pages;
    return SQLITE_OK;
}

int pragma(SQLite::Database& database, const char* name) {
    return database.execAndGet(fmt::format("PRAGMA {}", name)).getInt();
}

/// The SQL function sha256(x): hexadecimal; NULL for NULL.
void sha256_function(sqlite3_context* context, int, sqlite3_value** values) {
    if (sqlite3_value_type(values[0]) == SQLITE_NULL) return sqlite3_result_null(context);
    const auto* bytes = static_cast<const char*>(sqlite3_value_blob(values[0]));
    const std::string digest = sha256({bytes, static_cast<std::size_t>(sqlite3_value_bytes(values[0]))});
    sqlite3_result_text(context, digest.data(), static_cast<int>(digest.size()), SQLITE_TRANSIENT);
}

}  // namespace

int sqlite_code(const SQLite::Exception& failure) noexcept {
    return failure.getExtendedErrorCode() > 0 ? failure.getExtendedErrorCode() : failure.getErrorCode();
}

LedgerError ledger_failure(const std::string& path, const SQLite::Exception& failure,
                           const LedgerStake& stake) {
    const std::string reason = failure.what();
    const auto error = [](const std::string& message, const std::string& hint) {
        return LedgerError(ExitCode::unreachable, message, hint);
    };
    const auto going_on = [&](const char* first) {
        const std::string next =
            stake.run == 0 ? "try again" : fmt::format("`datachange resume {}`", stake.run);
        return fmt::format("{} {}, then {}.", stake.kept, first, next);
    };
    if (sync_failed(sqlite_code(failure))) {
        return error(fmt::format("the ledger {} could not be brought to its disk: {}", path, reason),
                     going_on("Nothing more is written to it: see that its disk works"));
    }
    switch (sqlite_code(failure) & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return error(
                fmt::format("the ledger {} is locked by another process", path),
                going_on("Another run or program is writing to it: close that, or wait until it has ended"));
        case SQLITE_FULL:
            return error(fmt::format("the ledger {} has no room on its disk", path),
                         going_on("Make room there"));
        case SQLITE_IOERR:
            return error(fmt::format("the disk of the ledger {} failed: {}", path, reason),
                         going_on("Make room on it if it is full, and see that it works"));
        case SQLITE_NOTADB:
            return error(fmt::format("{} is not a SQLite file, so it is no ledger", path), choose_another);
        case SQLITE_READONLY:
            return error(fmt::format("the ledger {} is read-only", path),
                         "This user must be able to write the file and its folder; or name another file with "
                         "--ledger.");
        case SQLITE_CANTOPEN:
            return error(fmt::format("cannot open the ledger {}: {}", path, reason),
                         "It must be a file, and this user must be able to write it and its folder.");
        case SQLITE_CORRUPT:
            return error(
                fmt::format("the ledger {} is damaged: {}", path, reason),
                "Keep the file and its -wal as they are, and restore a copy; sqlite3's .recover reads what "
                "is left.");
        default:
            return error(fmt::format("cannot use the ledger {}: {}", path, reason),
                         going_on("See that its disk has room and works"));
    }
}

LedgerError Ledger::failed(const SQLite::Exception& failure, const char* kept) {
    m_sync_failed = m_sync_failed || sync_failed(sqlite_code(failure));
    if (m_sync_failed) rollback();
    return ledger_failure(m_path, failure, {m_run, kept});
}

bool require_ledger(const std::string& path, SQLite::Database& database) {
    // looked at in one snapshot: another process may be making the ledger this very moment
    database.exec("SAVEPOINT look");
    const int application_id = pragma(database, "application_id");
    const int version = pragma(database, "user_version");
    const bool empty = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
    database.exec("RELEASE look");
    if (application_id == ledger_application_id && version > ledger_schema_version) {
        throw Error(
            ExitCode::unreachable,
            fmt::format("the ledger {} has schema version {}, and this datachange knows no more than {}",
                        path, version, ledger_schema_version),
            "Use a newer datachange; the ledger was left as it is.");
    }
    if (application_id == ledger_application_id && version > 0) return true;
    if (application_id == 0 && version == 0 && empty) return false;
    throw Error(ExitCode::unreachable, fmt::format("{} is a SQLite database, but no ledger", path),
                choose_another);
}

Ledger::Ledger(std::string path, SQLite::Database database)
    : m_path(std::move(path)), m_database(std::move(database)) {
    m_database.createFunction("sha256", 1, true, nullptr, &sha256_function, nullptr, nullptr, nullptr);
}

Ledger Ledger::open_to_read(const std::string& path) {
    return {path, open_ledger_for_reading(path)};
}

Ledger Ledger::open(const std::string& path, int lock_timeout_ms) {
    if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
        throw Error(ExitCode::unreachable, fmt::format("the ledger {} is a folder", path),
                    "Name a file in it with --ledger.");
    }
    make_private_file(path);
    // Of several that make a ledger at once all but one may find it locked, and SQLite itself does not wait
    // for the change to a write-ahead log: that could be a deadlock.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(lock_timeout_ms);
    for (;;) {
        try {
            return connect(path, lock_timeout_ms);
        } catch (const SQLite::Exception& failure) {
            const bool locked = failure.getErrorCode() == SQLITE_BUSY;
            if (!locked || std::chrono::steady_clock::now() >= give_up) throw ledger_failure(path, failure);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

Ledger Ledger::connect(const std::string& path, int lock_timeout_ms) {
    Ledger ledger(path,
                  SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, lock_timeout_ms));
    ledger.m_lock_timeout_ms = lock_timeout_ms;
    SQLite::Database& database = ledger.m_database;
    require_ledger(path, database);
    if (sqlite3_db_readonly(database.getHandle(), "main") == 1) {
        throw SQLite::Exception("read-only", SQLITE_READONLY);
    }
    const std::string mode = database.execAndGet("PRAGMA journal_mode = WAL").getString();
    if (mode != "wal") {
        throw Error(ExitCode::unreachable,
                    fmt::format("the ledger {} cannot have a write-ahead log where it is", path),
                    "Put it on a local disk.");
    }
    database.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096");
    sqlite3_wal_hook(database.getHandle(), &note_log_pages, ledger.m_log_pages.get());
    if (pragma(database, "user_version") != ledger_schema_version) {
        ledger.transact([&] { ledger.bring_up_to_date(); });
    }
    return ledger;
}

void Ledger::run(const std::string& script) {
    m_database.exec(script);
}

Ledger Ledger::scratch() {
    Ledger ledger("(scratch)",
                  SQLite::Database("", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX));
    ledger.m_database.exec("PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096");
    ledger.make_schema();
    return ledger;
}

/// In a transaction: somebody else may have been faster.
void Ledger::bring_up_to_date() {
    if (!require_ledger(m_path, m_database)) return make_schema();
    const int version = pragma(m_database, "user_version");
    if (version == ledger_schema_version) return;
    if (version == 1) m_database.exec(ledger_upgrade_from_1());
    if (version <= 2) upgrade_from_2(*this);
    if (version <= 3) m_database.exec(ledger_upgrade_from_3());
    m_database.exec(ledger_upgrade_from_4());
    m_database.exec(fmt::format("PRAGMA user_version = {}", ledger_schema_version));
}

void Ledger::make_schema() {
    run(ledger_schema());
    execute("INSERT INTO meta(name, value) VALUES ('uuid', ?), ('created_at', ?)", new_uuid(), utc_now());
    m_database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", ledger_application_id,
                                ledger_schema_version));
}

std::string Ledger::uuid() {
    SQLite::Statement& query = statement("SELECT value FROM meta WHERE name = 'uuid'");
    std::string uuid = query.executeStep() ? query.getColumn(0).getString() : "";
    query.reset();
    return uuid;
}

void Ledger::begin() {
    if (m_sync_failed) throw SQLite::Exception("an earlier sync has failed", SQLITE_IOERR_FSYNC);
    statement("BEGIN IMMEDIATE").exec();
}

void Ledger::commit() {
    statement("COMMIT").exec();
}

void Ledger::rollback() noexcept {
    if (in_transaction()) m_database.tryExec("ROLLBACK");
}

bool Ledger::in_transaction() const {
    return sqlite3_get_autocommit(m_database.getHandle()) == 0;
}

SQLite::Statement& Ledger::statement(const std::string& sql) {
    auto found = m_statements.find(sql);
    if (found == m_statements.end()) {
        found = m_statements.emplace(sql, SQLite::Statement(m_database, sql)).first;
    }
    // what the last execution failed with, if it did, has been reported
    found->second.tryReset();
    found->second.clearBindings();
    return found->second;
}

void Ledger::checkpoint_if_due() noexcept {
    constexpr int long_log = 1000;  // pages; as SQLite has it
    if (*m_log_pages < long_log) return;
    sqlite3_wal_checkpoint_v2(m_database.getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

void Ledger::checkpoint() noexcept {
    sqlite3* const handle = m_database.getHandle();
    // waiting for another run to pause would be waiting for nothing: whoever closes last empties the log
    // anyway
    sqlite3_busy_timeout(handle, 0);
    sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    sqlite3_busy_timeout(handle, m_lock_timeout_ms);
}

}  // namespace datachange
