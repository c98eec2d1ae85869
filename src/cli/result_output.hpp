#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

#include "report/streamed_table.hpp"

namespace CLI {
class App;
}

namespace datachange {

/// How long results are shown.
struct ShowOptions {
    std::string color = "auto";  ///< auto | always | never
    bool no_pager = false;
    bool full = false;  ///< values are not cut
};

/// Adds --color, --no-pager and --full.
void add_show_options(CLI::App* command, ShowOptions& options);

/// stdout, through a pager where it is a terminal: $DATACHANGE_PAGER, $PAGER, else less.
///
/// Ctrl-C ends the process, save while a pager is there: then it is the pager's, as is the terminal.
class ResultOutput {
public:
    explicit ResultOutput(const ShowOptions& options);
    /// Waits until the pager is left.
    ~ResultOutput();
    ResultOutput(const ResultOutput&) = delete;
    ResultOutput& operator=(const ResultOutput&) = delete;

    bool color() const { return m_color; }
    /// Text for people.
    /// @throws Error if it cannot be written, or Ctrl-C was pressed; something else, for show_results alone,
    /// if nobody reads any more
    void write(std::string_view text);
    /// CSV, JSON and the like: as they are, but for a terminal printable().
    void write_data(std::string_view text);
    /// All that was written is on its way. @throws as write
    void flush();

    /// From now on Ctrl-C does not end the process: the command asks interrupted(), and does.
    static void watch_interrupts();
    static bool interrupted();

private:
    void open();
    void require(bool written) const;

    bool m_color, m_terminal, m_paged;
    std::FILE* m_file = nullptr;
};

/// Lets a command write its result. It ends quietly where nobody reads any more (`| head`, a pager that was
/// left).
/// @return the exit status
int show_results(const ShowOptions& options, const std::function<void(ResultOutput&)>& command);

}  // namespace datachange
