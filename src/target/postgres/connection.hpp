#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "datachange/error.hpp"
#include "target/canceller.hpp"
#include "target/postgres/conninfo.hpp"
#include "target/postgres/result.hpp"

namespace datachange::postgres {

/// Values as they are sent, in text format; nothing: NULL.
using Parameters = std::vector<std::optional<std::string>>;

/// A prepared statement that the server does not have, or whose result is another one by now. To the caller a
/// serialization failure (40001): the same again, prepared anew, works.
class StalePreparation : public DatabaseError {
public:
    explicit StalePreparation(const std::string& statement);
};

/// One connection to a server.
///
/// It never reconnects by itself: what was sent on a connection that is gone would run outside its
/// transaction.
class Connection {
public:
    /// @throws Error (unreachable)
    explicit Connection(ConnectionPlan plan);
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Makes a new session in place of the old one, which ends first.
    /// @param to_write where there are several hosts, the one that can be written.
    /// @throws Error (unreachable); the connection is lost then.
    void reconnect(bool to_write);
    /// Ends the session: the connection is lost.
    void close() noexcept;
    /// Asks the statement that execute() or execute_prepared() waits for to end. From any thread, at any
    /// time.
    void cancel() noexcept { m_canceller.cancel(); }

    /// Executes one statement by the extended protocol, so that a second one in the text is an error.
    /// @throws DatabaseError
    Result execute(const std::string& sql, const Parameters& parameters = {});
    /// Has the server keep a statement under a name. @throws StalePreparation if the name is taken;
    /// DatabaseError
    void prepare(const std::string& name, const std::string& sql);
    /// Executes what prepare() has named.
    /// @param sql its text, for errors. @throws StalePreparation; DatabaseError
    Result execute_prepared(const std::string& name, const std::string& sql, const Parameters& parameters);
    /// What is done with one row of a result.
    using TakeRow = std::function<void(const Result&)>;

    /// The columns of a statement's result, which is empty, without executing it. @throws DatabaseError
    Result describe(const std::string& sql);
    /// Executes one statement, and hands on each row of its result as it comes. Should that throw, the rest
    /// is passed over first. @throws DatabaseError
    void execute_by_row(const std::string& sql, const Parameters& parameters, const TakeRow& row);
    /// Executes several statements of the tool's own in one round trip; gives the rows of each. They are
    /// not cancelled: a COMMIT that is broken off is in doubt.
    /// @throws DatabaseError
    std::vector<Result> execute_script(const std::string& sql);

    bool lost() const { return m_lost; }
    /// As 150004 for 15.4.
    int server_version() const { return PQserverVersion(m_session.get()); }
    /// The server's process as it was told when the connection was made; behind a pooler it is another one.
    int server_process() const { return PQbackendPID(m_session.get()); }
    const Address& address() const { return m_address; }

private:
    struct Closer {
        void operator()(PGconn* session) const { PQfinish(session); }
    };

    void connect(const std::string& conninfo);
    template <typename Send>
    std::vector<Result> perform(const std::string& sql, Send&& send, const std::string& name = {},
                                const TakeRow& row = {});
    std::vector<Result> collect(const std::string& sql, const std::string& name, const TakeRow& row);
    void end_copy(ExecStatusType direction);

    ConnectionPlan m_plan;
    Canceller m_canceller;
    std::unique_ptr<PGconn, Closer> m_session;
    Address m_address;
    bool m_lost = true;
};

}  // namespace datachange::postgres
