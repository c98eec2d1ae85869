#pragma once

#include <string>

namespace datachange::test {

/// The URL of the maintenance database of the server for tests: DATACHANGE_TEST_POSTGRES, or else that of a
/// throw-away server, which is started at the first call (tests/support/postgres) and stopped when the
/// process ends.
const std::string& postgres_url();

/// True if the server is one that tests/support/postgres made: with the role datachange_password, and ours
/// alone.
bool postgres_is_throw_away();

/// A URL with another database, or with another user (and password, unless it is empty).
std::string with_database(const std::string& url, const std::string& database);
std::string with_user(const std::string& url, const std::string& user, const std::string& password = {});

/// A database of its own on that server; dropped with the object, whoever is still connected.
class PostgresDatabase {
public:
    PostgresDatabase();
    ~PostgresDatabase();
    PostgresDatabase(const PostgresDatabase&) = delete;
    PostgresDatabase& operator=(const PostgresDatabase&) = delete;

    const std::string& name() const { return m_name; }
    std::string url() const { return with_database(postgres_url(), m_name); }

private:
    std::string m_name;
};

}  // namespace datachange::test
