#pragma once

#include <string>

#include "datachange/error.hpp"

namespace datachange::postgres {

/// Where a connection goes, as far as URL and environment tell before it is made.
struct Address {
    std::string user, host, port, database;
};

/// postgresql://user@host:port/database, percent-encoded; a socket's folder stands as host. Never a password.
std::string address_text(const Address& address);

/// A name as the server cuts it, to 63 bytes and never within a character.
std::string cut_identifier(const std::string& name);

/// What is needed to connect.
struct ConnectionPlan {
    std::string conninfo;  ///< key='value' ... for libpq, password included: never to be shown
    std::string password;  ///< to be kept out of every text; empty if there is none
    Address address;
    bool several_hosts = false;  ///< and nothing is said about which kind of server is wanted
};

/// Reads a libpq URL or key=value string ("" for the environment alone) and adds what the tool wants of a
/// connection: UTF-8, a name, and where the user has not said otherwise, time limits for connecting and for a
/// server that no longer answers. The latter looks at the network only: a statement or a COMMIT may take any
/// time.
/// @throws Error (unreachable) if libpq does not understand it; the text is not repeated, for it may hold a
/// password.
ConnectionPlan plan_connection(const std::string& url, const std::string& application_name);

/// The error of a connection that was not made, from what libpq said of it: told apart are a refused or
/// missing password, a role, database or host that does not exist, and a server that does not answer.
Error connection_error(const ConnectionPlan& plan, const std::string& libpq_message);

}  // namespace datachange::postgres
