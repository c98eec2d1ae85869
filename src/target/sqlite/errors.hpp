#pragma once

#include <string>

#include "datachange/error.hpp"

struct sqlite3;

namespace datachange::sqlite {

/// The name of an extended result code, "SQLITE_CONSTRAINT_FOREIGNKEY"; of its primary code where it is not
/// known.
std::string code_name(int extended_code);

/// The error that the last failing call on a connection left. The statement's text goes with it.
DatabaseError last_error(sqlite3* database, const std::string& statement);

}  // namespace datachange::sqlite
