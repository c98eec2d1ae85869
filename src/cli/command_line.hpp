#pragma once

namespace datachange {

/// Parses the command line, runs the command, prints errors to stderr. @return the exit status.
int run_command_line(int argc, char** argv);

}  // namespace datachange
