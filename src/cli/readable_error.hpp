#pragma once

#include "datachange/error.hpp"

namespace datachange {

/// What a server said in several lines: the SQLSTATE behind the first, its HINT among the hints.
Error readable(const DatabaseError& error);

}  // namespace datachange
