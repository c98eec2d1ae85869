#pragma once

#include <string>
#include <string_view>

#include "datachange/run.hpp"

namespace datachange {

/// A definition as HTML: keywords, strings, numbers, comments, directives and macros stand in elements of
/// their own class (k, s, n, c, d, p). The text itself stays as it is.
std::string html_sql(std::string_view sql, Engine engine);

}  // namespace datachange
