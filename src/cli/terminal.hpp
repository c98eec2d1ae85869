#pragma once

#include <cstddef>

namespace datachange {

/// True if the stream's descriptor is a terminal that can move its cursor (TERM is not dumb).
bool is_terminal(int descriptor);
/// Columns of the terminal on stderr, 80 where it does not tell.
std::size_t terminal_width();
/// Columns that results may take: those of the terminal on stdout, else $COLUMNS, else 120.
std::size_t output_width();
/// True unless NO_COLOR is set or the descriptor is no terminal.
bool wants_color(int descriptor);

}  // namespace datachange
