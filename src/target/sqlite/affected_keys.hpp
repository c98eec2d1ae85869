#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/key.hpp"
#include "target/sqlite/connection.hpp"

namespace datachange::sqlite {

/// The keys of :affected in a temporary table: blobs, text and numbers compare there by storage class, as
/// they are.
///
/// Its columns have no type, so that nothing is converted on the way in; in `x IN (SELECT k1 ...)` affinity
/// and collation are those of x, and an index on x is used, one look-up for each key.
class AffectedKeys {
public:
    explicit AffectedKeys(Connection& connection) : m_connection(connection) {}

    /// The condition that is true for exactly the keys of the last fill.
    static std::string condition(const std::vector<std::string>& arguments);

    /// Fills the table, unless it holds these keys already. @throws DatabaseError
    void fill(const std::vector<Key>& keys);

private:
    static std::string table_name(std::size_t width);

    Connection& m_connection;
    std::size_t m_width = 0;  ///< of the keys in the table; 0: what is there is not known
    std::string m_held;       ///< these keys
    /// Rollbacks seen when filled: a later one has emptied the table again.
    unsigned long long m_held_at = 0;
};

}  // namespace datachange::sqlite
