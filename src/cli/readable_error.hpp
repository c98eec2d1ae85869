#pragma once

#include <exception>

#include "datachange/error.hpp"

namespace datachange {

/// What a server said in several lines: the SQLSTATE behind the first, its HINT among the hints.
Error readable(const DatabaseError& error);
/// What was thrown, as users read it. @throws what is no std::exception
Error readable_error(const std::exception_ptr& thrown);

}  // namespace datachange
