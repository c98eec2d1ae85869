#pragma once

#include <string>

#include "support/temp_dir.hpp"

namespace datachange::test {

/// PgBouncer in transaction mode before a server: every transaction may get another session of the server,
/// and here does, by turns.
class Pooler {
public:
    /// @param database_url of the database behind it. @throws std::runtime_error if it does not start
    explicit Pooler(const std::string& database_url);
    ~Pooler();
    Pooler(const Pooler&) = delete;
    Pooler& operator=(const Pooler&) = delete;

    /// The same database through the pooler.
    const std::string& url() const { return m_url; }

private:
    TempDir m_folder;
    std::string m_url;
};

}  // namespace datachange::test
