#pragma once

#include <map>
#include <string>

#include "target/postgres/catalog.hpp"
#include "target/postgres/connection.hpp"

namespace datachange::postgres {

/// Statements that come again are prepared once under a name, and executed by it from then on: the server
/// need not parse them any more, and often not plan them either.
///
/// Names belong to a session of the server. A pooler in transaction mode hands one session to many clients
/// and many sessions to one client, so a name may be missing or somebody else's. So names are used within a
/// transaction alone, where it was seen to run in the process that the connection was told of: a pooler has
/// numbers of its own, for it has to forward requests to cancel.
class Statements {
public:
    /// A result, and where its layout is kept if the statement has a name.
    struct Answer {
        Result result;
        std::optional<Layout>* layout = nullptr;
    };

    explicit Statements(Connection& connection) : m_connection(connection) {}

    /// A transaction was begun. @param process the server's, as the transaction itself tells it
    void begin(int process);
    /// No transaction is open.
    void end() { m_usable = false; }
    /// Another session: it has no names yet.
    void forget();
    /// Tables or types may have been altered: what comes next is prepared anew, with the types as they are.
    void renew();
    /// The session's names are not to be relied on: none is used any more. @return whether any was till now
    bool distrust();

    /// Executes a statement, by name if it came before.
    /// @throws StalePreparation, and what is prepared is forgotten; DatabaseError
    Answer execute(const std::string& sql, const Parameters& parameters);
    /// How a script has a statement without parameters executed: by name if there is one.
    std::string in_script(const std::string& sql) const;
    /// As if the statement had been executed: from the second time on it has a name.
    void note(const std::string& sql);

private:
    struct Known {
        unsigned uses = 0;
        std::string name;  ///< empty: not prepared
        std::optional<Layout> layout;
        unsigned long last_used = 0;
    };

    Known& count(const std::string& sql);
    void make_room();
    template <typename Call>
    auto noting_stale(Call&& call);

    Connection& m_connection;
    std::map<std::string, Known> m_known;  ///< by text
    unsigned long m_clock = 0;
    unsigned m_generation = 0;  ///< part of the names: those of former ones are there still
    unsigned m_stale = 0;       ///< how often names went wrong
    bool m_usable = false;
};

}  // namespace datachange::postgres
