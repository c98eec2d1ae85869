// Linked into the tests' own tool in place of core/failpoint.cpp.
//
// The environment's DATACHANGE_FAILPOINT is "name:number:signal": at that pass through the place (from 1) the process
// sends itself the signal, KILL or STOP.
#include "core/failpoint.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/text.hpp"

namespace datachange {

namespace {

/// Where and how, read once.
struct Armed {
    std::string name;
    int pass = 1;
    int signal = SIGKILL;

    Armed() {
        const char* const text = std::getenv("DATACHANGE_FAILPOINT");
        if (text == nullptr) return;
        const std::vector<std::string> parts = split(text, ':');
        name = parts[0];
        if (parts.size() > 1) pass = std::stoi(parts[1]);
        if (parts.size() > 2 && parts[2] == "STOP") signal = SIGSTOP;
    }
};

}  // namespace

void failpoint(const char* name) {
    static const Armed armed;
    static std::atomic<int> passes{0};
    if (armed.name == name && ++passes == armed.pass) std::raise(armed.signal);
}

bool asked_by_test(const char* variable) {
    return std::getenv(variable) != nullptr;
}

}  // namespace datachange
