#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "target/target.hpp"

struct sqlite3;

namespace datachange::sqlite {

/// Counts touched rows by SQLite's pre-update hook. Registered before any statement is compiled, it sees what
/// cascades, triggers, REPLACE and DELETE without WHERE touch.
///
/// What it cannot tell: work of a statement that failed stays counted (a transaction is normally rolled back
/// then). Virtual tables have no rows of their own; those of their shadow tables are counted under these
/// tables' names, which is not the number of rows of the virtual table. DROP TABLE calls no hook: the dropped
/// table is told of by name.
class Witness {
public:
    Witness() = default;
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;

    /// @param database must not be used after this is gone.
    void attach(sqlite3* database);

    /// Takes the hook away for the life of the object, for tables of the tool's own: with it SQLite asks for
    /// every row, and what is compiled with it deletes all rows of a table one by one.
    class Away {
    public:
        Away(Witness& witness, sqlite3* database) : m_witness(witness), m_database(database) {
            detach(database);
        }
        ~Away() { m_witness.attach(m_database); }
        Away(const Away&) = delete;
        Away& operator=(const Away&) = delete;

    private:
        Witness& m_witness;
        sqlite3* m_database;
    };

    void start();
    void stop() { m_counting = false; }
    void statement_failed() { m_failed = true; }
    void table_dropped(const std::string& name);

    /// @param virtual_tables names of the database's virtual tables
    TouchedTables read(const std::vector<std::string>& virtual_tables) const;

    /// From the hook. @param operation SQLITE_INSERT, SQLITE_UPDATE or SQLITE_DELETE.
    /// As often as rows are touched, so it must be cheap.
    void row_touched(int operation, const char* schema, const char* table);

private:
    struct Entry {
        std::string table;
        Touched touched;
        bool counts = true;  ///< else the rows are SQLite's own or the journal's
    };
    static void detach(sqlite3* database);
    Entry& entry(std::string_view table);

    std::vector<Entry> m_entries;
    std::size_t m_last = 0;  ///< most rows belong to the table of the row before
    bool m_counting = false;
    bool m_failed = false;
};

}  // namespace datachange::sqlite
