#include "core/subprocess.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : m_number(number) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int number() const { return m_number; }
    bool open() const { return m_number >= 0; }
    void take(int number) {
        close();
        m_number = number;
    }
    void close() {
        if (m_number >= 0) ::close(m_number);
        m_number = -1;
    }

private:
    int m_number = -1;
};

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            throw Error(ExitCode::failed, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
        read.take(ends[0]);
        write.take(ends[1]);
    }
    Descriptor read, write;
};

/// The environment of this process with some variables more, as execve takes it.
class Environment {
public:
    explicit Environment(const std::vector<std::pair<std::string, std::string>>& more) {
        for (char** entry = environ; *entry != nullptr; ++entry) {
            const std::string_view text{*entry};
            const std::string_view name = text.substr(0, text.find('='));
            const bool replaced = std::any_of(more.begin(), more.end(),
                                              [&](const auto& variable) { return variable.first == name; });
            if (!replaced) m_texts.emplace_back(text);
        }
        for (const auto& [name, value] : more) m_texts.push_back(name + "=" + value);
        for (std::string& text : m_texts) m_entries.push_back(text.data());
        m_entries.push_back(nullptr);
    }
    char* const* entries() const { return m_entries.data(); }

private:
    std::vector<std::string> m_texts;
    std::vector<char*> m_entries;
};

/// What posix_spawn is told to do in the child.
class SpawnSettings {
public:
    SpawnSettings(const Pipe& in, const Pipe& out, const Pipe& err, bool terminal) {
        posix_spawn_file_actions_init(&m_actions);
        if (!terminal) posix_spawn_file_actions_adddup2(&m_actions, in.read.number(), STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&m_actions, out.write.number(), STDOUT_FILENO);
        if (!terminal) posix_spawn_file_actions_adddup2(&m_actions, err.write.number(), STDERR_FILENO);
        posix_spawnattr_init(&m_attributes);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&m_attributes, &none);  // ours has those blocked that a run waits for
        posix_spawnattr_setsigdefault(&m_attributes, &all);
        posix_spawnattr_setpgroup(&m_attributes, 0);
        const int own_group = terminal ? 0 : POSIX_SPAWN_SETPGROUP;
        posix_spawnattr_setflags(
            &m_attributes, static_cast<short>(own_group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    }
    ~SpawnSettings() {
        posix_spawn_file_actions_destroy(&m_actions);
        posix_spawnattr_destroy(&m_attributes);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;

    const posix_spawn_file_actions_t* actions() const { return &m_actions; }
    const posix_spawnattr_t* attributes() const { return &m_attributes; }

private:
    posix_spawn_file_actions_t m_actions{};
    posix_spawnattr_t m_attributes{};
};

pid_t spawn(const Subprocess& subprocess, const Pipe& in, const Pipe& out, const Pipe& err) {
    std::vector<std::string> words = subprocess.command;
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const Environment environment(subprocess.environment);
    const SpawnSettings settings(in, out, err, subprocess.terminal);
    pid_t child = 0;
    const int failure = ::posix_spawnp(&child, arguments.front(), settings.actions(), settings.attributes(),
                                       arguments.data(), environment.entries());
    if (failure != 0) {
        throw Error(ExitCode::failed,
                    fmt::format("cannot run {}: {}", subprocess.command.front(), std::strerror(failure)),
                    "Is it installed, and in PATH?");
    }
    return child;
}

/// Both streams of the child, and what is left to be written to it.
class Exchange {
public:
    Exchange(const Subprocess& subprocess, Pipe& in, Pipe& out, Pipe& err)
        : m_input(subprocess.input), m_most(subprocess.most_output), m_in(in.write) {
        m_streams[0].descriptor = &out.read;
        m_streams[1].descriptor = &err.read;
        ::fcntl(m_in.number(), F_SETFL, O_NONBLOCK);
        if (m_input.empty()) m_in.close();
    }

    /// @return false: the time is up
    bool run(std::optional<Clock::time_point> deadline) {
        while (m_streams[0].descriptor->open() || m_streams[1].descriptor->open()) {
            std::array<pollfd, 3> watched{pollfd{m_streams[0].descriptor->number(), POLLIN, 0},
                                          pollfd{m_streams[1].descriptor->number(), POLLIN, 0},
                                          pollfd{m_in.number(), POLLOUT, 0}};
            const int ready = ::poll(watched.data(), watched.size(), wait_ms(deadline));
            if (ready == 0) return false;
            if (ready < 0 && errno != EINTR) return false;
            if (ready < 0) continue;
            for (std::size_t i = 0; i < m_streams.size(); ++i) {
                if (watched[i].revents != 0) read(m_streams[i]);
            }
            if (watched[2].revents != 0) write();
        }
        return true;
    }

    std::string& out() { return m_streams[0].text; }
    std::string& err() { return m_streams[1].text; }

private:
    struct Stream {
        Descriptor* descriptor = nullptr;
        std::string text;
    };

    static int wait_ms(std::optional<Clock::time_point> deadline) {
        if (!deadline) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
        return static_cast<int>(std::max<std::int64_t>(0, left));
    }

    void read(Stream& stream) const {
        std::array<char, 4096> piece{};
        const ssize_t bytes = ::read(stream.descriptor->number(), piece.data(), piece.size());
        if (bytes > 0) {
            const std::size_t room = m_most - std::min(m_most, stream.text.size());
            stream.text.append(piece.data(), std::min(room, static_cast<std::size_t>(bytes)));
        } else if (bytes == 0 || errno != EINTR) {
            stream.descriptor->close();
        }
    }

    void write() {
        const ssize_t bytes = ::write(m_in.number(), m_input.data() + m_written, m_input.size() - m_written);
        if (bytes > 0) m_written += static_cast<std::size_t>(bytes);
        const bool gone = bytes < 0 && errno != EINTR && errno != EAGAIN;  // it reads no more
        if (gone || m_written == m_input.size()) m_in.close();
    }

    const std::string& m_input;
    std::size_t m_written = 0;
    std::size_t m_most;
    Descriptor& m_in;
    std::array<Stream, 2> m_streams;
};

/// A pipe whose reader is gone must not end this process.
class IgnoredSigpipe {
public:
    IgnoredSigpipe() {
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, &m_before);
    }
    ~IgnoredSigpipe() {
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        const timespec now{};
        while (sigtimedwait(&pipe, nullptr, &now) > 0) {
        }
        pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
    }
    IgnoredSigpipe(const IgnoredSigpipe&) = delete;
    IgnoredSigpipe& operator=(const IgnoredSigpipe&) = delete;

private:
    sigset_t m_before{};
};

/// Waits for the child itself; its streams may be closed before it has ended.
int wait_for(pid_t child, bool own_group, std::optional<Clock::time_point> deadline, bool& timed_out) {
    int status = 0;
    while (deadline && !timed_out) {
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child) return status;
        if (Clock::now() >= *deadline) {
            timed_out = true;
        } else {
            constexpr timespec moment{0, 5'000'000};
            ::nanosleep(&moment, nullptr);
        }
    }
    if (timed_out) ::kill(own_group ? -child : child, SIGKILL);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

std::string SubprocessResult::failure() const {
    if (timed_out) return "took too long, and was ended";
    const std::string said{trim(err.substr(0, err.find('\n')))};
    return fmt::format("ended with {}{}{}", exit_status, said.empty() ? "" : ": ", said);
}

SubprocessResult run_subprocess(const Subprocess& subprocess) {
    const IgnoredSigpipe ignored;
    Pipe in, out, err;
    const pid_t child = spawn(subprocess, in, out, err);
    in.read.close();
    out.write.close();
    err.write.close();
    std::optional<Clock::time_point> deadline;
    if (subprocess.timeout.count() > 0) deadline = Clock::now() + subprocess.timeout;
    Exchange exchange(subprocess, in, out, err);
    SubprocessResult result;
    result.timed_out = !exchange.run(deadline);
    const int status = wait_for(child, !subprocess.terminal, deadline, result.timed_out);
    result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = std::move(exchange.out());
    result.err = std::move(exchange.err());
    return result;
}

std::vector<std::string> shell_command(const std::string& line) {
    return {"/bin/sh", "-c", line};
}

}  // namespace datachange
