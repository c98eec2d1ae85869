#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace datachange {

/// Text for HTML, in elements and quoted attributes: markup is escaped, and each character that is not seen
/// or would act on its neighbours (control, bidirectional, zero-width; not LF and TAB) becomes a mark that
/// shows its code point, <span class="code">U+202E</span>. Bytes that are no UTF-8 become U+FFFD.
std::string html_text(std::string_view utf8);

/// The same for attributes: marks are text.
std::string html_attribute(std::string_view utf8);

/// Text for Markdown, on one line: no character of it is markup. One with an @ becomes code, so that nobody
/// is told of it.
std::string markdown_text(std::string_view utf8);

/// The same as code, so that it reads exactly as it is; for table cells, too.
/// @param longest in code points; what is cut is said
std::string markdown_code(std::string_view utf8, std::size_t longest);

/// A value in the ledger's JSON where markup tells it from what is around it: value_text() without the
/// quotes.
std::string plain_value_text(std::string_view json);

}  // namespace datachange
