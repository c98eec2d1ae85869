#pragma once

#include <string_view>

namespace datachange {

// The files of src/report/html/, embedded by the build.
extern const std::string_view page_html;  ///< with {{name}} where something is put in
extern const std::string_view page_css;
extern const std::string_view page_js;

}  // namespace datachange
