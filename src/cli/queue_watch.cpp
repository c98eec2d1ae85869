#include "cli/queue_watch.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/terminal.hpp"
#include "core/text.hpp"
#include "datachange/error.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

constexpr int repainted_every_ms = 1'000;
constexpr std::string_view other_screen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view first_screen = "\x1b[?25h\x1b[?1049l";

volatile std::sig_atomic_t ended = 0;

void end(int) {
    ended = 1;
}

void resized(int) {
    // poll() comes back, and the new size is asked for
}

void put(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno != EINTR) return;  // the terminal is gone, and the next poll() says so
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// As long as it is there: keys come one by one and are not shown, and signals end the watching in good
/// order.
class Screen {
public:
    Screen() {
        ::tcgetattr(STDIN_FILENO, &m_before);
        termios raw = m_before;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        ended = 0;
        struct sigaction action {};
        action.sa_handler = &end;
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
        action.sa_handler = &resized;
        ::sigaction(SIGWINCH, &action, nullptr);
        put(other_screen);
    }
    ~Screen() {
        put(first_screen);
        ::tcsetattr(STDIN_FILENO, TCSANOW, &m_before);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) std::signal(signal, SIG_DFL);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

private:
    termios m_before{};
};

winsize terminal_size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {24, 80, 0, 0};
    return size;
}

/// In place, line by line, so that nothing flickers.
void paint(const std::function<std::string(std::size_t)>& text) {
    const winsize size = terminal_size();
    std::vector<std::string> lines = split(text(size.ws_col), '\n');
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    std::string painted = "\x1b[H";
    for (std::size_t i = 0; i < std::min<std::size_t>(lines.size(), size.ws_row); ++i) {
        if (i > 0) painted += "\r\n";
        painted += fit(lines[i], size.ws_col) + "\x1b[K";
    }
    put(painted + "\x1b[J");
}

/// Waits for a key, a signal or the time to repaint. @return false if the watching is to end
bool goes_on() {
    pollfd keys{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&keys, 1, repainted_every_ms);
    if (ended != 0) return false;
    if (ready <= 0) return true;
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q';
}

}  // namespace

void watch_on_terminal(const std::function<std::string(std::size_t columns)>& text) {
    if (!is_terminal(STDIN_FILENO) || !is_terminal(STDOUT_FILENO)) {
        throw Error(ExitCode::usage, "--watch needs a terminal",
                    "`datachange queue` prints the queue once, and with --json for programs.");
    }
    const Screen screen;
    do {
        paint(text);
    } while (goes_on());
}

}  // namespace datachange
