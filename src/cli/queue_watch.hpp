#pragma once

#include <functional>
#include <string>

namespace datachange {

/// Shows a text on the terminal again and again, until q or Ctrl-C: on the terminal's other screen, in as
/// many lines as it has, repainted when its size changes. What stood there comes back in the end.
/// @param text given the columns of the terminal
/// @throws Error (usage) where stdin and stdout are no terminal
void watch_on_terminal(const std::function<std::string(std::size_t columns)>& text);

}  // namespace datachange
