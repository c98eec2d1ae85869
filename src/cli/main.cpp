#include "cli/command_line.hpp"

int main(int argc, char** argv) {
    return datachange::run_command_line(argc, argv);
}
