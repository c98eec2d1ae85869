#pragma once

#include <map>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"

namespace datachange {

/// Copies rows of a table from one ledger to another, column by column as they are stored.
class RowCopy {
public:
    /// What stands in a column instead of what the other ledger has: this one's own numbers.
    using Instead = std::map<std::string, std::int64_t>;

    RowCopy(Ledger& from, Ledger& to) : m_from(from), m_to(to) {}

    /// @param where on the table in the other ledger, with parameters; ORDER BY may follow
    /// @return rows that were copied
    template <class... Values>
    std::uint64_t copy(const std::string& table, const Instead& instead, const std::string& where,
                       const Values&... values) {
        const auto columns = columns_of(table, instead);
        return insert(m_from.bound(select(table, columns, where), values...), table, columns, instead);
    }
    /// Makes a run's row what the other ledger has, but for what says where it is.
    void update_run(std::int64_t here, std::int64_t there);

private:
    std::vector<std::string> columns_of(const std::string& table, const Instead& without);
    static std::string select(const std::string& table, const std::vector<std::string>& columns,
                              const std::string& where);
    std::uint64_t insert(SQLite::Statement& rows, const std::string& table,
                         const std::vector<std::string>& columns, const Instead& instead);

    Ledger& m_from;
    Ledger& m_to;
};

}  // namespace datachange
