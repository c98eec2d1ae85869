#include "support/postgres_server.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "core/hash.hpp"
#include "core/sql_template.hpp"
#include "core/text.hpp"
#include "support/temp_dir.hpp"
#include "target/target.hpp"

namespace datachange::test {

namespace {

std::string output_of(const std::string& command) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
    std::string output;
    std::array<char, 256> buffer{};
    while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get())) output += buffer.data();
    return std::string{trim(output)};
}

/// A server that lives as long as this process.
class ThrowAwayServer {
public:
    ThrowAwayServer() : m_url(output_of(m_script + " start " + m_dir.path().string())) {
        if (m_url.empty()) throw std::runtime_error("no PostgreSQL server could be started for the tests");
    }
    ~ThrowAwayServer() { output_of(m_script + " stop " + m_dir.path().string()); }
    ThrowAwayServer(const ThrowAwayServer&) = delete;
    ThrowAwayServer& operator=(const ThrowAwayServer&) = delete;

    const std::string& url() const { return m_url; }

private:
    std::string m_script = DATACHANGE_SUPPORT "/postgres";
    TempDir m_dir;
    std::string m_url;
};

const char* given_url() {
    const char* const url = std::getenv("DATACHANGE_TEST_POSTGRES");
    return url && *url ? url : nullptr;
}

void execute_on_server(const std::string& sql) {
    connect_postgres(postgres_url(), "datachange tests")->query(sql);
}

}  // namespace

const std::string& postgres_url() {
    if (const char* const given = given_url()) {
        static const std::string url = given;
        return url;
    }
    static const ThrowAwayServer server;
    return server.url();
}

bool postgres_is_throw_away() {
    static const bool has_role = !connect_postgres(postgres_url(), "datachange tests")
                                      ->query("SELECT 1 FROM pg_roles WHERE rolname = 'datachange_password'")
                                      .empty();
    return has_role;
}

std::string with_database(const std::string& url, const std::string& database) {
    const std::size_t authority = url.find("://") + 3;
    const std::size_t path = std::min(url.find_first_of("/?", authority), url.size());
    const std::size_t options = std::min(url.find('?', path), url.size());
    return url.substr(0, path) + "/" + database + url.substr(options);
}

std::string with_user(const std::string& url, const std::string& user, const std::string& password) {
    const std::size_t authority = url.find("://") + 3;
    const std::size_t at = url.find('@', authority);
    const std::size_t host = at == std::string::npos ? authority : at + 1;
    return url.substr(0, authority) + user + (password.empty() ? "" : ":" + password) + "@" +
           url.substr(host);
}

PostgresDatabase::PostgresDatabase() : m_name("datachange_test_" + new_uuid().substr(0, 13)) {
    execute_on_server("CREATE DATABASE " + quote_name(m_name));
}

PostgresDatabase::~PostgresDatabase() {
    try {
        execute_on_server("DROP DATABASE IF EXISTS " + quote_name(m_name) + " WITH (FORCE)");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "the test database %s stays: %s\n", m_name.c_str(), error.what());
    }
}

}  // namespace datachange::test
