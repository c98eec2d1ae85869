#pragma once

#include <string>

#include "datachange/error.hpp"

namespace datachange::postgres {

/// The error that the server reported, without its "ERROR:  " and with a hint where the SQLSTATE tells what
/// to do.
DatabaseError server_error(const std::string& message, const std::string& sqlstate,
                           const std::string& statement);

/// What can be told of such an error without values: its kind in words where it is a usual one, else the
/// SQLSTATE, and names.
struct ErrorNames {
    std::string constraint, table, column;  ///< "": not told
};
std::string without_values(const std::string& sqlstate, const ErrorNames& names);

/// The error of a statement whose connection is gone, ExitCode::unreachable: 57P01, 57P02, 57P03 or 25P03
/// where the server said so, else 08006.
DatabaseError lost_connection(const std::string& statement, const std::string& sqlstate = {});

}  // namespace datachange::postgres
