#pragma once

#include <string>

#include "support/temp_dir.hpp"

namespace datachange::test {

/// A PostgreSQL server that the test may stop, start and configure; gone with the object.
class OwnServer {
public:
    /// A new one.
    OwnServer();
    struct ReplicaOf {
        const OwnServer& primary;
    };
    /// One that follows another.
    explicit OwnServer(ReplicaOf replica);
    ~OwnServer();
    OwnServer(const OwnServer&) = delete;
    OwnServer& operator=(const OwnServer&) = delete;

    /// Of its maintenance database.
    const std::string& url() const { return m_url; }
    void stop();
    /// With the port that it had.
    void start();

private:
    std::string data() const { return m_folder / "data"; }
    std::string program(const std::string& name) const;

    TempDir m_folder;
    std::string m_programs;  ///< the folder of the server's programs
    std::string m_url;
};

/// "127.0.0.1:5432" of a URL.
std::string host_and_port(const std::string& url);

}  // namespace datachange::test
