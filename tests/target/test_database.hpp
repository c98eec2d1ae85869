#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/postgres_server.hpp"
#include "support/temp_dir.hpp"
#include "target/target.hpp"

namespace datachange::test {

/// A database of its own for one test, on either engine.
class TestDatabase {
public:
    explicit TestDatabase(Engine engine);

    Engine engine() const { return m_engine; }
    /// A further connection to it.
    std::unique_ptr<Target> connect() const;
    /// URL or path.
    std::string address() const;

private:
    Engine m_engine;
    std::optional<PostgresDatabase> m_postgres;
    std::optional<TempDir> m_folder;
};

/// Executes statements, one a piece, outside of any transaction.
void execute_all(Target& target, const std::vector<std::string>& statements);

/// Executes a statement of a definition without macros.
RowSet run(Target& target, const std::string& sql);

/// A statement with one macro in it: "SELECT ... WHERE " + :batch(a, b).
SqlTemplate with_macro(const std::string& prefix, SqlPiece::Kind kind,
                       const std::vector<std::string>& arguments, const std::string& suffix = {});

/// "1|a" for each row: values joined by "|", NULL as "NULL".
std::vector<std::string> texts(const RowSet& rows);

/// The types of all columns, for a Scope.
std::vector<std::string> types(const RowSet& rows);

/// "inserted/updated/deleted" of a table, "-" if it is not told of.
std::string counts(const TouchedTables& touched, const std::string& table);

/// The error that a call throws. Fails if it throws none.
template <typename Expected, typename Call>
Expected error_of(Call&& call) {
    try {
        call();
    } catch (const Expected& error) {
        return error;
    }
    FAIL("nothing was thrown");
    throw std::logic_error("not reached");
}

}  // namespace datachange::test
