#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/row_set.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace datachange::sqlite {

/// One compiled statement.
class Statement {
public:
    /// @throws DatabaseError if it does not compile, or if another statement follows in the text.
    Statement(sqlite3* database, const std::string& sql);

    const std::string& sql() const { return m_sql; }
    bool reads_only() const;

    /// @param prefix and number name the parameter: "$" and 1 for $1.
    /// @throws DatabaseError (SQLITE_RANGE) unless the statement has just these parameters.
    void bind(const std::string& prefix, const std::vector<Value>& values);
    /// Binds by place alone, for statements of the tool's own.
    void bind_in_place(const std::vector<Value>& values);
    /// The next row; false at the end. @throws DatabaseError
    bool step();
    /// Forgets values and rows: it can be executed again.
    void reset() noexcept;

    /// Valid for the schema as it is once step() or the constructor has looked at it.
    std::vector<Column> columns() const;
    /// Adds the row that step() found to a set with its columns.
    void append_row(RowSet& rows) const;

    /// Tables that it drops: no hook tells of their rows.
    std::vector<std::string> drops;

private:
    void bind_one(int place, const Value& value);

    sqlite3* m_database;
    std::string m_sql;
    std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> m_handle;
};

/// A few statements kept compiled by their text. One that is in use is not in the cache.
class StatementCache {
public:
    /// A statement on loan, reset and given back at the end.
    class Lease {
    public:
        Lease(StatementCache& cache, std::unique_ptr<Statement> statement)
            : m_cache(cache), m_statement(std::move(statement)) {}
        ~Lease();
        Lease(Lease&&) = default;
        Statement* operator->() { return m_statement.get(); }
        Statement& operator*() { return *m_statement; }

    private:
        StatementCache& m_cache;
        std::unique_ptr<Statement> m_statement;
    };

    void clear() { m_idle.clear(); }
    Lease take(const std::string& sql, const std::function<std::unique_ptr<Statement>()>& compile);

private:
    static constexpr std::size_t capacity = 16;
    std::vector<std::unique_ptr<Statement>> m_idle;  ///< longest unused first
};

}  // namespace datachange::sqlite
