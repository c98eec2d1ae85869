#include "cli/result_output.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "cli/terminal.hpp"
#include "datachange/error.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

/// Nobody reads stdout any more.
struct NobodyReads {};

volatile std::sig_atomic_t interrupt_seen = 0;

void note_interrupt(int) {
    interrupt_seen = 1;
}

/// The pager's command; "" for none.
std::string pager() {
    for (const char* name : {"DATACHANGE_PAGER", "PAGER"}) {
        const char* const value = std::getenv(name);
        if (value != nullptr) return value == std::string_view{"cat"} ? "" : value;
    }
    return "if command -v less >/dev/null; then exec less; else exec cat; fi";
}

bool is_colored(const std::string& choice) {
    return choice == "always" || (choice == "auto" && wants_color(STDOUT_FILENO));
}

}  // namespace

void add_show_options(CLI::App* command, ShowOptions& options) {
    command
        ->add_option("--color", options.color,
                     "auto (on a terminal, unless NO_COLOR is set), always or never")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->type_name("WHEN");
    command->add_flag("--no-pager", options.no_pager,
                      "Print at once, not through $DATACHANGE_PAGER, $PAGER or less");
    command->add_flag("--full", options.full, "Do not cut long values");
}

ResultOutput::ResultOutput(const ShowOptions& options)
    : m_color(is_colored(options.color)),
      m_terminal(::isatty(STDOUT_FILENO) == 1),
      m_paged(!options.no_pager && is_terminal(STDOUT_FILENO) && !pager().empty()) {
}

ResultOutput::~ResultOutput() {
    if (m_file != nullptr && m_paged) ::pclose(m_file);
    std::signal(SIGINT, SIG_DFL);
}

/// Begins only when there is something to show, so that errors do not end in a pager.
void ResultOutput::open() {
    if (m_paged) {
        ::setenv("LESS", "FRX", 0);  // colours; what fits on the screen is printed at once, and stays
        std::fflush(stdout);
        m_file = ::popen(pager().c_str(), "w");
        m_paged = m_file != nullptr;
        if (m_paged) watch_interrupts();
    }
    if (m_file == nullptr) m_file = stdout;
    std::signal(SIGPIPE, SIG_IGN);  // after popen: the pager has it as usual
}

void ResultOutput::write(std::string_view text) {
    if (m_file == nullptr) open();
    if (interrupted() && !m_paged)
        throw Error(ExitCode::pending, "stopped by Ctrl-C", "Nothing was changed.");
    require(std::fwrite(text.data(), 1, text.size(), m_file) == text.size());
}

void ResultOutput::write_data(std::string_view text) {
    write(m_terminal ? printable_lines(text) : std::string{text});
}

void ResultOutput::flush() {
    if (m_file != nullptr) require(std::fflush(m_file) == 0);
}

void ResultOutput::require(bool written) const {
    if (written) return;
    if (errno == EPIPE) throw NobodyReads{};
    throw Error(ExitCode::failed, fmt::format("the result cannot be written: {}", std::strerror(errno)),
                "See where its output goes. Nothing was changed.");
}

void ResultOutput::watch_interrupts() {
    std::signal(SIGINT, note_interrupt);
}

bool ResultOutput::interrupted() {
    return interrupt_seen != 0;
}

int show_results(const ShowOptions& options, const std::function<void(ResultOutput&)>& command) {
    ResultOutput output(options);
    try {
        command(output);
        output.flush();
    } catch (const NobodyReads&) {
    }
    return 0;
}

}  // namespace datachange
