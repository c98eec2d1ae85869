#include "core/subprocess.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "datachange/error.hpp"
#include "support/catch.hpp"

using namespace datachange;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;  // after which a test gives up

Subprocess shell(const std::string& line) {
    Subprocess subprocess;
    subprocess.command = shell_command(line);
    subprocess.timeout = patience;
    return subprocess;
}

SubprocessResult run_shell(const std::string& line) {
    return run_subprocess(shell(line));
}

/// Whether a process is there that has not ended.
bool lives(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = text.rfind(')');
    return name_end != std::string::npos && text.size() > name_end + 2 && text[name_end + 2] != 'Z';
}

void wait_until_gone(pid_t process) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (lives(process)) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        std::this_thread::sleep_for(1ms);
    }
}

double seconds_of(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("a program is run to its end, and its output kept", "[core]") {
    const SubprocessResult result = run_shell("printf one; printf two >&2");
    CHECK(result.succeeded());
    CHECK(result.exit_status == 0);
    CHECK(result.out == "one");
    CHECK(result.err == "two");
    // arguments are no text for a shell
    const std::string odd = "a  b\"'$HOME\n*";
    CHECK(run_subprocess({{"printf", "%s", odd}}).out == odd);
}

TEST_CASE("how a program ended is told", "[core]") {
    const SubprocessResult failed = run_shell("echo; echo '  no such host ' >&2; echo more >&2; exit 3");
    CHECK_FALSE(failed.succeeded());
    CHECK(failed.exit_status == 3);
    CHECK(failed.signal == 0);
    CHECK(failed.ending() == "ended with 3");
    CHECK(failed.failure() == "ended with 3: no such host");
    CHECK(run_shell("printf '\\n\\n' >&2; exit 4").failure() == "ended with 4");

    const SubprocessResult killed = run_shell("kill -TERM $$");
    CHECK(killed.exit_status == 128 + SIGTERM);
    CHECK(killed.signal == SIGTERM);
    CHECK(killed.ending() == "was ended by signal 15 (Terminated)");
    CHECK(run_shell("kill -40 $$").ending() == "was ended by signal 40");

    const SubprocessResult unknown = run_shell("no-such-program-at-all");
    CHECK(unknown.exit_status == 127);
    CHECK(unknown.failure().find("no-such-program-at-all") != std::string::npos);
}

TEST_CASE("a program that cannot be started is an error that names it", "[core]") {
    for (const char* name : {"no-such-program-at-all", "/etc/passwd", "/"}) {
        try {
            run_subprocess({{name}});
            FAIL(name);
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::failed);
            CHECK(std::string{error.what()}.find(std::string{"cannot run "} + name + ": ") == 0);
        }
    }
    Subprocess large = shell("true");
    large.environment = {{"LARGE", std::string(1 << 20, 'x')}};
    CHECK_THROWS_AS(run_subprocess(large), Error);
}

TEST_CASE("when the time is up all that a program started is killed", "[core]") {
    // the grandchild ignores what is asked of it, as does the shell
    Subprocess subprocess =
        shell("trap '' TERM INT HUP; (trap '' TERM INT HUP; sleep 600) & echo $!; echo $$; sleep 600");
    subprocess.timeout = 300ms;
    const SubprocessResult result = run_subprocess(subprocess);
    CHECK(result.timed_out);
    CHECK_FALSE(result.succeeded());
    CHECK(result.failure() == "took longer than 0.3 s, and was ended");
    pid_t grandchild = 0, child = 0;
    REQUIRE(std::sscanf(result.out.c_str(), "%d %d", &grandchild, &child) == 2);
    wait_until_gone(grandchild);
    CHECK_FALSE(lives(child));
}

TEST_CASE("what a program left in the background is not waited for", "[core]") {
    SubprocessResult result;
    const double seconds = seconds_of([&] { result = run_shell("echo before; sleep 600 & echo $!"); });
    CHECK(result.succeeded());
    CHECK(seconds < 30);
    pid_t left = 0;
    REQUIRE(std::sscanf(result.out.c_str(), "before %d", &left) == 1);
    CHECK(lives(left));
    ::kill(left, SIGKILL);
    wait_until_gone(left);
    // nor is what it goes on to write
    const SubprocessResult flood = run_shell("yes & echo $! >&2");
    CHECK(flood.succeeded());
    const pid_t writer = std::atoi(flood.err.c_str());
    wait_until_gone(writer);  // of a pipe that nobody reads
}

TEST_CASE("one that closes its output is waited for all the same", "[core]") {
    const SubprocessResult result = run_shell("exec >&- 2>&- <&-; sleep 0.2; exit 5");
    CHECK(result.exit_status == 5);
    Subprocess hanging = shell("exec >&- 2>&-; sleep 600");
    hanging.timeout = 200ms;
    CHECK(run_subprocess(hanging).timed_out);
}

TEST_CASE("large input and output go both ways at once", "[core]") {
    Subprocess subprocess;
    subprocess.command = {"tee", "/dev/stderr"};
    subprocess.timeout = patience;
    subprocess.most_output = 16 << 20;
    for (int i = 0; subprocess.input.size() < (4 << 20); ++i) subprocess.input += std::to_string(i) + "\n";
    const SubprocessResult result = run_subprocess(subprocess);
    CHECK(result.succeeded());
    CHECK(result.out == subprocess.input);
    CHECK(result.err == subprocess.input);
}

TEST_CASE("who does not read what it is given is no error", "[core]") {
    Subprocess subprocess = shell("exec <&-; echo done");
    subprocess.input = std::string(4 << 20, 'x');
    CHECK(run_subprocess(subprocess).out == "done\n");
    subprocess.command = shell_command("head -c 3");
    CHECK(run_subprocess(subprocess).out == "xxx");
    // nothing is left of the signal that writing brought
    sigset_t pending;
    sigpending(&pending);
    CHECK_FALSE(sigismember(&pending, SIGPIPE));
}

TEST_CASE("without input a program reads the end of it", "[core]") {
    CHECK(run_shell("cat; echo end").out == "end\n");
}

TEST_CASE("output beyond what is kept is read, and dropped", "[core]") {
    Subprocess subprocess = shell("head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2");
    subprocess.most_output = 1'000;
    const SubprocessResult result = run_subprocess(subprocess);
    CHECK(result.succeeded());
    CHECK(result.out == std::string(1'000, 'x'));
    CHECK(result.err == "end\n");
    Subprocess endless = shell("yes");
    endless.most_output = 10;
    endless.timeout = 200ms;
    CHECK(run_subprocess(endless).timed_out);
}

TEST_CASE("the environment is that of this process, with some more and some less", "[core]") {
    ::setenv("SUBPROCESS_KEPT", "kept", 1);
    ::setenv("SUBPROCESS_REPLACED", "old", 1);
    ::setenv("SUBPROCESS_SECRET", "secret", 1);
    Subprocess subprocess = shell("env");
    subprocess.environment = {{"SUBPROCESS_REPLACED", "a = b\nc"}, {"SUBPROCESS_EMPTY", ""}};
    subprocess.without = {"SUBPROCESS_SECRET", "SUBPROCESS"};
    const std::string out = "\n" + run_subprocess(subprocess).out;
    for (const char* name : {"SUBPROCESS_KEPT", "SUBPROCESS_REPLACED", "SUBPROCESS_SECRET"}) ::unsetenv(name);
    CHECK(out.find("\nSUBPROCESS_KEPT=kept\n") != std::string::npos);
    CHECK(out.find("\nSUBPROCESS_REPLACED=a = b\nc\n") != std::string::npos);
    CHECK(out.find("\nSUBPROCESS_EMPTY=\n") != std::string::npos);
    CHECK(out.find("secret") == std::string::npos);
    CHECK(out.find("old") == std::string::npos);
}

TEST_CASE("signals that are blocked here are not in the program, and Ctrl-C does not reach it", "[core]") {
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    const auto ignored = std::signal(SIGINT, SIG_IGN);
    const SubprocessResult result = run_shell("kill -TERM $$; echo survived");
    const SubprocessResult interrupted = run_shell("kill -INT $$; echo survived");
    std::signal(SIGINT, ignored);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    CHECK(result.signal == SIGTERM);
    CHECK(interrupted.signal == SIGINT);
    const std::string group = run_shell("ps -o pgid= -p $$").out;
    CHECK(std::atoi(group.c_str()) != ::getpgrp());
}

TEST_CASE("files of this process are not open in the program", "[core]") {
    const int opened = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    const int file = ::fcntl(opened, F_DUPFD, 50);  // NOLINT: without O_CLOEXEC, as std::ofstream has it
    ::close(opened);
    REQUIRE(file >= 50);
    const std::string out = run_shell("ls /proc/$$/fd").out;
    ::close(file);
    CHECK(out.find(std::to_string(file) + "\n") == std::string::npos);
}

TEST_CASE("a process that was started without stdin and stdout does not mix its own up with pipes",
          "[core]") {
    const int in = ::fcntl(0, F_DUPFD_CLOEXEC, 10), out = ::fcntl(1, F_DUPFD_CLOEXEC, 10);
    REQUIRE(in > 2);
    REQUIRE(out > 2);
    ::close(0);
    ::close(1);
    Subprocess subprocess = shell("cat; echo error >&2; : >/dev/fd/1");
    subprocess.input = "through";
    SubprocessResult result;
    std::string failure;
    try {
        result = run_subprocess(subprocess);
    } catch (const std::exception& error) {
        failure = error.what();
    }
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::close(in);
    ::close(out);
    CHECK(failure.empty());
    CHECK(result.succeeded());
    CHECK(result.out == "through");
    CHECK(result.err == "error\n");
}
