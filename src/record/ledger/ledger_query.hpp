#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "core/value.hpp"

struct sqlite3_stmt;

namespace datachange {

/// One SELECT of a user's own on the ledger.
///
/// Nothing can be written by it, in any file: the ledger is opened for reading, `query_only` is on, and an
/// authorizer lets SQLite compile nothing but reading; ATTACH, every PRAGMA that sets something, and
/// functions with effects are refused. A run may go on meanwhile: the query sees one state of the ledger.
class LedgerQuery {
public:
    /// @param stop is asked now and then; the query ends when it is true
    /// @throws Error (usage) if the SQL is none, is wrong, is several statements, or does more than read;
    /// Error (unreachable) if the ledger cannot be read
    LedgerQuery(const std::string& path, const std::string& sql, std::function<bool()> stop);

    const std::vector<std::string>& columns() const { return m_columns; }
    /// Goes to the next row. @return false if there is none
    /// @throws Error (usage) if SQLite cannot compute it, (pending) if it was stopped
    bool next();
    /// The row's values, which live until the next one. Reals have the shortest digits that tell them.
    const std::vector<ValueView>& row() const { return m_row; }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

    Prepared prepare(const char*& sql);
    [[noreturn]] void fail() const;

    std::string m_path;
    std::function<bool()> m_stop;
    SQLite::Database m_database;
    Prepared m_statement;
    std::vector<std::string> m_columns;
    std::vector<ValueView> m_row;
    std::vector<std::string> m_numbers;  ///< digits of the row's numbers
};

}  // namespace datachange
