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
    std::size_t most_output = 1 << 20;      ///< bytes of each stream that are kept; what is beyond is dropped
    std::vector<std::string> without = {};  ///< variables of this process's environment that it does not get
};

/// How it ended.
struct SubprocessResult {
    int exit_status = 0;  ///< 128 + the signal's number where one ended it
    int signal = 0;       ///< that ended it; 0: none
    bool timed_out = false;
    std::chrono::milliseconds timeout{0};  ///< that it had
    std::string out, err;

    bool succeeded() const { return exit_status == 0 && !timed_out; }
    /// "ended with 3", "was ended by signal 9 (Killed)", "took longer than 10 s, and was ended"; for
    /// messages.
    std::string ending() const;
    /// The same with the first line of stderr that is not empty: "ended with 3: no such host".
    std::string failure() const;
};

/// Runs a program and waits for it. It gets a process group of its own: all of it is killed when the time is
/// up, and Ctrl-C in the terminal does not reach it. (With `terminal` it stays in the group of this process,
/// for only that one may read from the terminal.) It inherits no descriptor besides the three standard ones.
///
/// Where it ends by itself in time, what it left in the background goes on, without being waited for; what
/// that prints later is dropped.
/// @throws Error (failed) if it cannot be started: there is no such program, it may not be executed, or its
/// arguments and environment are too long
SubprocessResult run_subprocess(const Subprocess& subprocess);

/// The command that has the shell execute a line: what users write into a config file.
std::vector<std::string> shell_command(const std::string& line);

}  // namespace datachange
