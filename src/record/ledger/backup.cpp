#include "record/ledger/backup.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/csv/csv_file.hpp"
#include "record/ledger/ledger.hpp"
#include "record/ledger/ledger_reader.hpp"

namespace datachange {

namespace {

namespace fs = std::filesystem;

/// A private file that goes, with what SQLite put beside it, unless it is given its name.
class Unfinished {
public:
    explicit Unfinished(const std::string& name) : m_name(name), m_path(name + ".partial") {
        remove();
        const int file = ::open(m_path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (file < 0) fail();
        ::fchmod(file, S_IRUSR | S_IWUSR);
        ::close(file);
    }
    ~Unfinished() { remove(); }
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;

    const std::string& path() const { return m_path; }

    void give_name(bool force) {
        // a link never takes the place of a file that somebody has made meanwhile
        if (!force && ::link(m_path.c_str(), m_name.c_str()) != 0) fail();
        if (force && std::rename(m_path.c_str(), m_name.c_str()) != 0) fail();
        sync_folder(fs::absolute(m_name).parent_path().string());
    }

private:
    [[noreturn]] void fail() const {
        throw Error(ExitCode::unreachable,
                    fmt::format("cannot write the copy {}: {}", m_name, std::strerror(errno)),
                    "Its folder must be there and writable, and have room.");
    }
    void remove() const noexcept {
        for (const char* end : {"", "-wal", "-shm", "-journal"}) ::unlink((m_path + end).c_str());
    }

    std::string m_name, m_path;
};

void require_place(const std::string& ledger, const std::string& copy, bool force) {
    std::error_code ignored;
    if (fs::equivalent(ledger, copy, ignored))
        throw Error(ExitCode::usage, "the copy would take the place of the ledger itself",
                    "Name another file.");
    if (fs::is_directory(copy, ignored))
        throw Error(ExitCode::usage, fmt::format("{} is a folder", copy), "Name a file in it.");
    if (fs::exists(copy + "-wal", ignored)) {
        throw Error(ExitCode::usage, fmt::format("{} is in use, or was not closed: its -wal is there", copy),
                    "It would be applied to the copy: name another file.");
    }
    if (!force && fs::exists(copy, ignored))
        throw Error(ExitCode::usage, fmt::format("{} is there already", copy), "--force replaces it.");
}

void require_whole(const std::string& path) {
    SQLite::Database copy(path, SQLite::OPEN_READWRITE);
    const std::string found = copy.execAndGet("PRAGMA integrity_check(1)").getString();
    if (found != "ok")
        throw Error(ExitCode::mismatch, "the copy is not whole: " + found,
                    "Nothing was kept of it. Look at the ledger with `datachange verify --deep`.");
}

}  // namespace

void copy_ledger(SQLite::Database& from, const std::string& to) {
    SQLite::Database copy(to, SQLite::OPEN_READWRITE);
    SQLite::Backup backup(copy, from);
    // all pages in one transaction, so that it is one state of the ledger
    const int result = backup.executeStep(-1);
    if (result != SQLITE_DONE) throw SQLite::Exception("it could not be copied", result);
}

void backup_ledger(const std::string& ledger, const std::string& copy, bool force) {
    require_place(ledger, copy, force);
    SQLite::Database database = open_ledger_for_reading(ledger);
    Unfinished file(copy);
    try {
        copy_ledger(database, file.path());
        require_whole(file.path());
    } catch (const SQLite::Exception& failure) {
        throw ledger_failure(copy, failure, {0, "The ledger was left as it is."});
    }
    file.give_name(force);
}

}  // namespace datachange
