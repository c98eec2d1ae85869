#include "report/prometheus.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "datachange/error.hpp"

namespace datachange {

const std::vector<std::string> exported_states{"pending", "processing", "paused",  "stalled", "stopped",
                                               "failed",  "cancelled",  "done",    "edited",  "undoing",
                                               "undone",  "marked",     "excluded"};

namespace {

/// https://prometheus.io/docs/instrumenting/exposition_formats/: backslash, quote and line end are escaped.
std::string label_value(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out;
}

std::string labels(const TargetVersions& target) {
    return fmt::format("target=\"{}\",group=\"{}\"", label_value(target.target), label_value(target.group));
}

std::string heading(const char* name, const char* type, const char* help) {
    return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

std::map<std::string, std::uint64_t> counts_by_state(const TargetVersions& target) {
    std::map<std::string, std::uint64_t> counts;
    for (const std::string& state : exported_states) counts[state] = 0;
    for (const VersionState& version : target.versions)
        ++counts[version.state.starts_with("undo ") ? "undoing" : version.state];
    return counts;
}

using Samples = std::function<std::string(const TargetVersions&)>;

std::string metric(const std::vector<TargetVersions>& targets, const char* name, const char* type,
                   const char* help, const Samples& samples) {
    std::string lines;
    for (const TargetVersions& target : targets) lines += samples(target);
    return lines.empty() ? "" : heading(name, type, help) + lines;
}

std::string up(const TargetVersions& target) {
    return fmt::format("datachange_target_up{{{}}} {}\n", labels(target), target.error ? 0 : 1);
}

std::string definitions(const TargetVersions& target) {
    if (target.error) return {};
    std::string lines;
    for (const auto& [state, count] : counts_by_state(target)) {
        lines += fmt::format("datachange_definitions{{{},state=\"{}\"}} {}\n", labels(target),
                             label_value(state), count);
    }
    return lines;
}

std::string last_success(const TargetVersions& target) {
    const auto at = parse_utc(target.last_success);
    if (target.error || !at) return {};
    return fmt::format("datachange_last_success_timestamp_seconds{{{}}} {:.3f}\n", labels(target), *at);
}

std::string rows_changed(const TargetVersions& target) {
    if (target.error) return {};
    return fmt::format("datachange_rows_changed_total{{{}}} {}\n", labels(target), target.rows_changed);
}

}  // namespace

std::string prometheus_text(const std::vector<TargetVersions>& targets) {
    return metric(targets, "datachange_target_up", "gauge", "1 if the target could be reached and read.",
                  up) +
           metric(targets, "datachange_definitions", "gauge",
                  "Data change definitions by what has become of them on the target.", definitions) +
           metric(targets, "datachange_last_success_timestamp_seconds", "gauge",
                  "When the last run on the target was done, in seconds since 1970.", last_success) +
           metric(targets, "datachange_rows_changed_total", "counter",
                  "Rows changed by all runs that the journal of the target knows.", rows_changed);
}

void replace_file(const std::string& path, const std::string& text) {
    // no name that ends in .prom: the collector reads all of these
    const std::string unfinished = fmt::format("{}.{}.tmp", path, ::getpid());
    const auto fail = [&](const std::string& reason) {
        ::unlink(unfinished.c_str());
        throw Error(ExitCode::failed, fmt::format("cannot write {}: {}", path, reason),
                    "Its folder must be there and writable.");
    };
    const int file = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) fail(std::strerror(errno));
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t count = ::write(file, text.data() + written, text.size() - written);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        written += static_cast<std::size_t>(count);
    }
    const bool kept = written == text.size() && ::fchmod(file, 0644) == 0 && ::fsync(file) == 0;
    const std::string reason = kept ? "" : std::strerror(errno);
    if (::close(file) != 0 || !kept) fail(kept ? std::strerror(errno) : reason);
    if (::rename(unfinished.c_str(), path.c_str()) != 0) fail(std::strerror(errno));
}

}  // namespace datachange
