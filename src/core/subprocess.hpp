#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace datachange {

/// A program that is run to its end, with its output kept.
struct Subprocess {
    std::vector<std::string> command;  ///< the program, looked for in PATH, and its arguments
    std::vector<std::pair<std::string, std::string>> environment = {};  ///< besides that of this process
    std::string input = {};                                             ///< what it reads from stdin
    std::chrono::milliseconds timeout{0};  ///< after which it is killed, and all that it started; 0: none
    bool terminal = false;  ///< it may talk to whoever is at the terminal: stdin and stderr are inherited,
                            ///< and Ctrl-C reaches it as well
    std::size_t most_output = 1 << 20;  ///< bytes of each stream that are kept; what is beyond is dropped
};

/// How it ended.
struct SubprocessResult {
    int exit_status = 0;  ///< 128 + the signal's number where one ended it
    bool timed_out = false;
    std::string out, err;

    bool succeeded() const { return exit_status == 0 && !timed_out; }
    /// "ended with 3: the first line of stderr", "took longer than 10 s"; for messages.
    std::string failure() const;
};

/// Runs a program and waits for it. It gets a process group of its own, so that what it started ends with it,
/// and Ctrl-C in the terminal does not reach it; with `terminal` it stays in the group of this process, for
/// only that one may read from the terminal.
/// @throws Error (failed) if it cannot be started: there is no such program, or it may not be executed
SubprocessResult run_subprocess(const Subprocess& subprocess);

/// The command that has the shell execute a line: what users write into a config file.
std::vector<std::string> shell_command(const std::string& line);

}  // namespace datachange
