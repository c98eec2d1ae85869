#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace datachange {

/// What a failure means to the caller; the numbers are the exit status of the command-line tool.
enum class ExitCode : int {
    done = 0,
    failed = 1,       ///< failed, nothing was changed in the target
    usage = 2,        ///< the command or the definition is wrong
    pending = 3,      ///< something is pending, or halted and can be resumed
    mismatch = 4,     ///< the evidence does not match the target
    unreachable = 5,  ///< the target or the ledger cannot be reached or used
    partial = 6,      ///< failed after some batches were committed
};

/// A place in a definition file; line and column count from 1, a column is a byte. Line 0: no place.
struct SourcePosition {
    std::size_t line = 0;
    std::size_t column = 0;
};

/// A failure as a user reads it: what happened (lower case, no full stop), where, and what to do next.
class Error : public std::runtime_error {
public:
    Error(ExitCode code, const std::string& message, std::string hint = {});

    /// Adds the place, "file:line:column" or whatever names it. The innermost place given first stays.
    Error& at(std::string where);

    ExitCode code() const { return m_code; }
    const std::string& hint() const { return m_hint; }
    const std::string& where() const { return m_where; }
    void set_code(ExitCode code) { m_code = code; }
    void set_hint(std::string hint) { m_hint = std::move(hint); }

    /// The whole text: "where: error: message", then a line "hint: ..." if there is one.
    std::string text() const;

private:
    ExitCode m_code;
    std::string m_hint;
    std::string m_where;
};

/// An error that the target or the ledger database reported.
class DatabaseError : public Error {
public:
    /// @param sqlstate five characters on PostgreSQL; SQLite's extended result code by name, or "" if none.
    /// @param statement the SQL that failed, without bound values.
    DatabaseError(ExitCode code, const std::string& message, std::string sqlstate, std::string statement,
                  std::string hint = {});

    const std::string& sqlstate() const { return m_sqlstate; }
    const std::string& statement() const { return m_statement; }

    /// What can be told of the failure where the message, which is the database's own, may hold values: what
    /// kind it is, and names of the constraint, table and column. "": the message holds none.
    const std::string& without_values() const { return m_without_values; }
    void set_without_values(std::string text) { m_without_values = std::move(text); }

private:
    std::string m_sqlstate;
    std::string m_statement;
    std::string m_without_values;
};

}  // namespace datachange
