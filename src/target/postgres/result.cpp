#include "target/postgres/result.hpp"

namespace datachange::postgres {

std::vector<ResultColumn> Result::columns() const {
    const PGresult* const result = m_result.get();
    std::vector<ResultColumn> columns(width());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const int place = static_cast<int>(i);
        columns[i] = {PQfname(result, place), PQftype(result, place), PQftable(result, place),
                      PQftablecol(result, place)};
    }
    return columns;
}

}  // namespace datachange::postgres
