#include "target/own_server.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "core/text.hpp"

namespace datachange::test {

namespace {

std::string output_of(const std::string& command) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
    std::string output;
    std::array<char, 256> buffer{};
    while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get())) output += buffer.data();
    return std::string{trim(output)};
}

/// @throws std::runtime_error if it fails.
void execute(const std::string& command) {
    if (std::system((command + " >/dev/null 2>&1").c_str()) != 0)
        throw std::runtime_error("failed: " + command);
}

std::string script() {
    return DATACHANGE_SUPPORT "/postgres";
}

/// PostgreSQL never runs as root.
std::string as_server() {
    return geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --init-groups " : "";
}

}  // namespace

OwnServer::OwnServer() : m_url(output_of(script() + " start " + m_folder.path().string())) {
    if (m_url.empty()) throw std::runtime_error("no PostgreSQL server could be started");
    std::ifstream started(data() + "/postmaster.opts");
    std::string server;
    started >> server;
    m_programs = std::filesystem::path(server).parent_path().string();
}

OwnServer::OwnServer(ReplicaOf replica) : m_programs(replica.primary.m_programs) {
    if (geteuid() == 0) execute("chown postgres: " + m_folder.path().string());
    execute(as_server() + program("pg_basebackup") + " -D " + data() + " -R -X stream -c fast -d '" +
            replica.primary.url() + "'");
    for (int attempt = 0; attempt < 5 && m_url.empty(); ++attempt) {
        // somebody else may take the port in between
        const std::string port = std::to_string(20000 + (getpid() * 7 + attempt * 131) % 12000);
        const std::string command =
            as_server() + program("pg_ctl") + " -D " + data() + " -w -l " + (m_folder / "log") +
            " -o \"-F -k '' -p " + port +
            " -c listen_addresses=127.0.0.1 -c wal_receiver_status_interval=1\" start >/dev/null 2>&1";
        if (std::system(command.c_str()) == 0)
            m_url = "postgresql://postgres@127.0.0.1:" + port + "/postgres";
    }
    if (m_url.empty()) throw std::runtime_error("no replica could be started");
}

OwnServer::~OwnServer() {
    output_of(script() + " stop " + m_folder.path().string());
}

std::string OwnServer::program(const std::string& name) const {
    return m_programs + "/" + name;
}

void OwnServer::stop() {
    execute(as_server() + program("pg_ctl") + " -D " + data() + " -w -m fast stop");
}

void OwnServer::start() {
    // restart takes the options of the last start, whether the server runs or not
    execute(as_server() + program("pg_ctl") + " -D " + data() + " -w -l " + (m_folder / "log") + " restart");
}

std::string host_and_port(const std::string& url) {
    const std::size_t authority = url.find("://") + 3;
    const std::string whole = url.substr(authority, url.find('/', authority) - authority);
    return whole.substr(whole.find('@') + 1);
}

}  // namespace datachange::test
