#include "target/pooler.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "target/own_server.hpp"
#include "target/target.hpp"

namespace datachange::test {

namespace {

/// A port that is free now; somebody else may take it in between.
int free_port() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const bool bound = bind(listener, generic, size) == 0 && getsockname(listener, generic, &size) == 0;
    close(listener);
    if (!bound) throw std::runtime_error("there is no free port");
    return ntohs(address.sin_port);
}

void write_settings(const std::string& file, const TempDir& folder, const std::string& server, int port) {
    const std::size_t colon = server.rfind(':');
    std::ofstream settings(file);
    settings << "[databases]\n* = host=" << server.substr(0, colon) << " port=" << server.substr(colon + 1)
             << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port
             << "\nunix_socket_dir =\nauth_type = trust\nauth_file = " << (folder / "users")
             << "\npool_mode = transaction\ndefault_pool_size = 3\nmin_pool_size = 3\nserver_round_robin = 1"
             << "\nignore_startup_parameters = extra_float_digits\nlogfile = " << (folder / "log")
             << "\npidfile = " << (folder / "pid") << "\n";
    std::ofstream(folder / "users") << "\"postgres\" \"\"\n";
}

bool answers(const std::string& url) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (std::chrono::steady_clock::now() < end) {
        try {
            connect_postgres(url, "datachange tests");
            return true;
        } catch (const Error&) {
            usleep(10000);
        }
    }
    return false;
}

}  // namespace

Pooler::Pooler(const std::string& database_url) {
    const std::string database = database_url.substr(database_url.rfind('/'));
    for (int attempt = 0; attempt < 5 && m_url.empty(); ++attempt) {
        const int port = free_port();
        write_settings(m_folder / "settings", m_folder, host_and_port(database_url), port);
        std::string start = "pgbouncer -q -d ";
        if (geteuid() == 0) {  // it never runs as root
            start = "chown -R postgres: " + m_folder.path().string() +
                    " && setpriv --reuid=postgres --regid=postgres --init-groups " + start;
        }
        if (std::system(
                ("PATH=$PATH:/usr/sbin; " + start + (m_folder / "settings") + " >/dev/null 2>&1").c_str()) !=
            0)
            continue;
        const std::string url = "postgresql://postgres@127.0.0.1:" + std::to_string(port) + database;
        if (answers(url)) m_url = url;
    }
    if (m_url.empty()) throw std::runtime_error("pgbouncer could not be started");
}

Pooler::~Pooler() {
    pid_t pid = 0;
    std::ifstream(m_folder / "pid") >> pid;
    if (pid > 0) kill(pid, SIGKILL);
}

}  // namespace datachange::test
