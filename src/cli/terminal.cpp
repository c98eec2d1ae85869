#include "cli/terminal.hpp"

#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace datachange {

bool is_terminal(int descriptor) {
    const char* term = std::getenv("TERM");
    return ::isatty(descriptor) == 1 && term != nullptr && std::string_view{term} != "dumb";
}

std::size_t terminal_width() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

std::size_t output_width() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char* const columns = std::getenv("COLUMNS");
    const int given = columns == nullptr ? 0 : std::atoi(columns);
    return given > 0 ? static_cast<std::size_t>(given) : 120;
}

bool wants_color(int descriptor) {
    const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org: set and not empty
    return is_terminal(descriptor) && (no_color == nullptr || *no_color == '\0');
}

}  // namespace datachange
