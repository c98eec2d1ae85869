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
        read.take(above_standard(ends[0]));
        write.take(above_standard(ends[1]));
    }
    Descriptor read, write;

private:
    /// Where this process was started without stdout, its own results must not go into somebody's pipe.
    static int above_standard(int number) {
        if (number > STDERR_FILENO) return number;
        const int moved = ::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        ::close(number);
        return moved;
    }
};

/// The environment of this process with some variables more, and some less, as execve takes it.
class Environment {
public:
    Environment(const std::vector<std::pair<std::string, std::string>>& more,
                const std::vector<std::string>& without) {
        for (char** entry = environ; *entry != nullptr; ++entry) {
            const std::string_view text{*entry};
            const std::string_view name = text.substr(0, text.find('='));
            const bool replaced = std::any_of(more.begin(), more.end(),
                                              [&](const auto& variable) { return variable.first == name; });
            const bool withheld = std::find(without.begin(), without.end(), name) != without.end();
            if (!replaced && !withheld) m_texts.emplace_back(text);
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
        // files that a library opened without O_CLOEXEC
        posix_spawn_file_actions_addclosefrom_np(&m_actions, STDERR_FILENO + 1);
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
    const Environment environment(subprocess.environment, subprocess.without);
    const SpawnSettings settings(in, out, err, subprocess.terminal);
    pid_t child = 0;
    const int failure = ::posix_spawnp(&child, arguments.front(), settings.actions(), settings.attributes(),
                                       arguments.data(), environment.entries());
    if (failure != 0) {
        throw Error(ExitCode::failed,
                    fmt::format("cannot run {}: {}", subprocess.command.front(), std::strerror(failure)),
                    failure == E2BIG ? "" : "Is it installed, and in PATH?");
    }
    return child;
}

/// Whether it has ended; it stays to be collected, so that its number is given to nobody else.
bool has_ended(pid_t child) {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        if (errno != EINTR) return true;
    }
    return info.si_pid == child;
}

/// Both streams of the child, and what is left to be written to it.
class Exchange {
public:
    Exchange(const Subprocess& subprocess, pid_t child, Pipe& in, Pipe& out, Pipe& err)
        : m_input(subprocess.input), m_most(subprocess.most_output), m_child(child), m_in(in.write) {
        m_streams[0].descriptor = &out.read;
        m_streams[1].descriptor = &err.read;
        ::fcntl(m_in.number(), F_SETFL, O_NONBLOCK);
        if (m_input.empty()) m_in.close();
    }

    /// Until the child has ended, and all is read that it wrote. @return false: the time is up
    bool run(std::optional<Clock::time_point> deadline) {
        for (;;) {
            const bool ended = has_ended(m_child);
            const bool open = m_streams[0].descriptor->open() || m_streams[1].descriptor->open();
            if (ended && (!open || drained_enough())) return true;
            if (deadline && !ended && Clock::now() >= *deadline) return false;
            if (!move(ended ? 0 : open ? slice_ms : 1) && ended) return true;
        }
    }

    std::string& out() { return m_streams[0].text; }
    std::string& err() { return m_streams[1].text; }

private:
    struct Stream {
        Descriptor* descriptor = nullptr;
        std::string text;
    };

    static constexpr int slice_ms = 10;  ///< how soon it is noticed that the child has ended

    /// What it left in the background may write for ever.
    bool drained_enough() {
        constexpr auto longest = std::chrono::milliseconds{200};
        if (!m_ended_at) m_ended_at = Clock::now();
        return Clock::now() - *m_ended_at > longest;
    }

    /// Reads and writes what can be at once. @return whether there was something
    bool move(int wait_ms) {
        std::array<pollfd, 3> watched{pollfd{m_streams[0].descriptor->number(), POLLIN, 0},
                                      pollfd{m_streams[1].descriptor->number(), POLLIN, 0},
                                      pollfd{m_in.number(), POLLOUT, 0}};
        if (::poll(watched.data(), watched.size(), wait_ms) <= 0) return false;
        for (std::size_t i = 0; i < m_streams.size(); ++i) {
            if (watched[i].revents != 0) read(m_streams[i]);
        }
        if (watched[2].revents != 0) write();
        return true;
    }

    void read(Stream& stream) const {
        std::array<char, 65536> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init)
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
    pid_t m_child;
    std::optional<Clock::time_point> m_ended_at;
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

int collect(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

std::string SubprocessResult::ending() const {
    if (timed_out)
        return fmt::format("took longer than {} s, and was ended",
                           static_cast<double>(timeout.count()) / 1000);
    if (signal != 0) {
        const char* const name = ::sigdescr_np(signal);  // thread-safe, as strsignal is not
        return fmt::format("was ended by signal {}{}", signal, name ? fmt::format(" ({})", name) : "");
    }
    return fmt::format("ended with {}", exit_status);
}

std::string SubprocessResult::failure() const {
    for (const std::string& line : split(err, '\n')) {
        if (const std::string_view said = trim(line); !said.empty())
            return fmt::format("{}: {}", ending(), said);
    }
    return ending();
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
    Exchange exchange(subprocess, child, in, out, err);
    SubprocessResult result;
    result.timeout = subprocess.timeout;
    result.timed_out = !exchange.run(deadline);
    if (result.timed_out) ::kill(subprocess.terminal ? child : -child, SIGKILL);
    const int status = collect(child);
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.exit_status = result.signal != 0 ? 128 + result.signal : WEXITSTATUS(status);
    result.out = std::move(exchange.out());
    result.err = std::move(exchange.err());
    return result;
}

std::vector<std::string> shell_command(const std::string& line) {
    return {"/bin/sh", "-c", line};
}

}  // namespace datachange
