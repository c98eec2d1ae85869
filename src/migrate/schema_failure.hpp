#pragma once

#include <cstddef>

#include "datachange/error.hpp"
#include "migrate/schema_file.hpp"
#include "migrate/schema_statements.hpp"

namespace datachange {

/// How far a schema migration had come when it failed.
struct SchemaFailure {
    const SchemaFile& file;
    std::size_t statements = 0;           ///< of the file
    std::size_t done = 0;                 ///< of them, that count and stay
    const SchemaStatement* at = nullptr;  ///< in hand; nullptr: none
    std::size_t number = 0;               ///< of it, from 1
    bool interrupted = false;             ///< it had been in hand when an earlier attempt was cut off
    bool lost = false;                    ///< the connection is gone
    bool stopped = false;                 ///< somebody asked for it
};

/// The database's error with the statement, its place, what stays of the file and what to do.
DatabaseError schema_error(const DatabaseError& error, const SchemaFailure& failure);

}  // namespace datachange
