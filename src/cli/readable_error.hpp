#pragma once

#include <exception>

#include "datachange/error.hpp"

namespace datachange {

/// What was thrown, as users read it. Of what a server said in several lines, the SQLSTATE stands behind the
/// first, and its HINT among the hints.
Error readable_error(const std::exception_ptr& thrown);

}  // namespace datachange
