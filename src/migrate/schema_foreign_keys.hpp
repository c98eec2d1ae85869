#pragma once

#include <map>
#include <string>
#include <utility>

#include "target/target.hpp"

namespace datachange {

/// Foreign keys of SQLite around a schema migration, as SQLite's own procedure for altering tables has it:
/// they are not enforced meanwhile (DROP TABLE would else delete what refers to the table's rows), and
/// checked before COMMIT. On PostgreSQL nothing of it does anything.
class SchemaForeignKeys {
public:
    /// @param target without an open transaction. Until the object goes, foreign keys are not enforced.
    explicit SchemaForeignKeys(Target& target);
    ~SchemaForeignKeys();
    SchemaForeignKeys(const SchemaForeignKeys&) = delete;
    SchemaForeignKeys& operator=(const SchemaForeignKeys&) = delete;

    /// First thing in the transaction: violations that are there already are not the migration's.
    void count();
    /// Last thing in it. @throws Error (failed) that names the tables in which there are more of them now
    void require_none_new();

private:
    using Violations = std::map<std::pair<std::string, std::string>, std::uint64_t>;  ///< by child and parent
    Violations violations();

    Target& m_target;
    bool m_sqlite;
    Violations m_before;
};

}  // namespace datachange
