#include "core/process.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "core/clock.hpp"

namespace datachange {

namespace {

constexpr double tolerance_s = 2;

/// When the system was started, in seconds since 1970.
std::optional<double> boot_time() {
    std::ifstream stat("/proc/stat");
    std::string name;
    for (std::string line; std::getline(stat, line);) {
        std::istringstream fields(line);
        double seconds = 0;
        if (fields >> name && name == "btime" && fields >> seconds) return seconds;
    }
    return std::nullopt;
}

/// What /proc tells of a process; see proc(5).
struct ProcessFacts {
    char state = '?';
    double started_s = 0;  ///< since the system was started
};

std::optional<ProcessFacts> facts_of(std::int64_t pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string text;
    if (!std::getline(file, text)) return std::nullopt;
    // the name of the program, in parentheses, may hold anything
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(text.substr(name_end + 1));
    ProcessFacts facts;
    fields >> facts.state;  // field 3
    constexpr int start_field = 22;
    std::string skipped;
    for (int field = 4; field < start_field; ++field) fields >> skipped;
    double ticks = 0;
    if (!(fields >> ticks)) return std::nullopt;
    facts.started_s = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return facts;
}

}  // namespace

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "unknown";
}

bool process_gone(const std::string& host, std::int64_t pid, const std::string& since) {
    if (pid <= 0 || host != host_name()) return false;
    if (std::error_code error; !std::filesystem::exists("/proc/self", error))
        return false;  // nothing can be told
    if (std::error_code error; !std::filesystem::exists(fmt::format("/proc/{}", pid), error)) return !error;
    const std::optional<ProcessFacts> facts = facts_of(pid);
    if (!facts) return false;
    if (facts->state == 'Z' || facts->state == 'X') return true;
    const std::optional<double> booted = boot_time(), seen = parse_utc(since);
    return booted && seen && *booted + facts->started_s > *seen + tolerance_s;
}

}  // namespace datachange
