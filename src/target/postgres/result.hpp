#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

namespace datachange::postgres {

/// A column of a result as the protocol tells it.
struct ResultColumn {
    std::string name;
    Oid type = 0;
    Oid table = 0;      ///< 0: not a column of a table
    int attribute = 0;  ///< attnum within the table; negative for system columns
};

/// Rows in text format. A cheap handle: copies share the rows.
class Result {
public:
    /// Takes what libpq gave; it is not nullptr.
    explicit Result(PGresult* result) : m_result(result, &PQclear) {}

    std::size_t size() const { return static_cast<std::size_t>(PQntuples(m_result.get())); }
    std::size_t width() const { return static_cast<std::size_t>(PQnfields(m_result.get())); }
    std::vector<ResultColumn> columns() const;

    bool is_null(std::size_t row, std::size_t column) const {
        return PQgetisnull(m_result.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
    }
    /// A cell where it stands; "" for NULL.
    std::string_view view(std::size_t row, std::size_t column) const {
        const int at = static_cast<int>(row), place = static_cast<int>(column);
        return {PQgetvalue(m_result.get(), at, place),
                static_cast<std::size_t>(PQgetlength(m_result.get(), at, place))};
    }
    std::string text(std::size_t row, std::size_t column) const { return std::string{view(row, column)}; }

private:
    std::shared_ptr<PGresult> m_result;
};

}  // namespace datachange::postgres
