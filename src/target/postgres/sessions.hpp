#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "target/postgres/connection.hpp"

namespace datachange::postgres {

/// Lets the server notice within two minutes that this client's host is gone, where it looks less often by
/// itself; over a socket of its own host it notices at once.
void ask_for_keepalives(Connection& connection);

/// The name as the server shows it: 63 bytes of printable ASCII.
/// @param server_version as 150004; 16 and later write other bytes as \xc3, earlier ones as ?.
std::string shown_application_name(const std::string& name, int server_version);

/// See Target::other_sessions.
std::vector<std::string> other_sessions(Connection& connection, const std::string& application_name);

/// How far replicas are behind. The server's own measure ends with the last WAL that was replayed, so a
/// replica that stands still seems to lag no more than before, or by nothing that is known; hence what this
/// has seen itself counts as well: how long WAL that was there at one reading has not been replayed at a
/// later one.
class ReplicationLag {
public:
    /// In seconds, of the replica that is furthest behind; nothing where there is none.
    /// @throws Error (usage) if the role may not see it.
    std::optional<double> read(Connection& connection);

private:
    struct Goal {
        std::string position;  ///< of the WAL, "0/3000060"
        double seen = 0;       ///< the server's clock then, seconds since 1970
    };
    std::map<std::string, Goal> m_goals;  ///< by the number of the process that sends
};

}  // namespace datachange::postgres
