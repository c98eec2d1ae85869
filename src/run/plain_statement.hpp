#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/sql_template.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// The statement's table and the columns of it that its result gives, under their own names and nothing else.
struct PlainColumns {
    std::string table;               ///< SQL notation, as written
    std::vector<std::string> names;  ///< bare; empty: `*`
};

/// `SELECT a, t.b FROM t WHERE ...` of one table, each of whose rows gives one of the result. Nothing for any
/// other query, `*` included.
std::optional<PlainColumns> plain_select(const SqlTemplate& sql, Engine engine);

/// The same where all that stands behind WHERE is `:affected`, with these columns.
std::optional<PlainColumns> plain_select_of_affected(const SqlTemplate& sql, Engine engine,
                                                     const std::vector<std::string>& identifier);

/// The table that an UPDATE, DELETE or INSERT works on, and its columns in RETURNING. Nothing where RETURNING
/// holds anything but columns of that table or `*`, or where the statement is not understood.
std::optional<PlainColumns> plain_returning(const SqlTemplate& sql, Engine engine);

}  // namespace datachange
