#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/canceller.hpp"
#include "target/postgres/conninfo.hpp"

namespace datachange::postgres {

/// Object identifiers as the server's catalogs have them.
using Oid = unsigned int;

/// A column of a result as the protocol tells it.
struct ResultColumn {
    std::string name;
    Oid type = 0;
    Oid table = 0;      ///< 0: not a column of a table
    int attribute = 0;  ///< attnum within the table; negative for system columns
};

/// Rows in text format. A cheap handle: copies share the rows.
class Result {
public:
    struct Rows;
    explicit Result(std::shared_ptr<const Rows> rows) : m_rows(std::move(rows)) {}

    std::size_t size() const;
    std::vector<ResultColumn> columns() const;
    /// Calls sink(column, text) for every cell, row by row; no text: NULL.
    using Sink = std::function<void(std::size_t column, std::optional<std::string_view> text)>;
    void each(const Sink& sink) const;
    /// A cell's text; "" for NULL.
    std::string text(std::size_t row, std::size_t column) const;
    bool is_null(std::size_t row, std::size_t column) const;

private:
    std::shared_ptr<const Rows> m_rows;
};

/// One connection to a server. What libpqxx 6 and 7 do differently stands in its source file and nowhere
/// else.
///
/// It never reconnects by itself: what was sent on a connection that is gone would run outside its
/// transaction.
class PqxxConnection {
public:
    /// @throws Error (unreachable)
    explicit PqxxConnection(ConnectionPlan plan);
    ~PqxxConnection();

    /// Makes a new session in place of the old one, which ends first.
    /// @param to_write where there are several hosts, the one that can be written.
    /// @throws Error (unreachable); the connection is lost then.
    void reconnect(bool to_write);
    /// Ends the session: the connection is lost.
    void close() noexcept;
    /// Asks the statement that execute() waits for to end. From any thread, at any time.
    void cancel() noexcept { m_canceller.cancel(); }

    /// Executes one statement by the extended protocol, so that a second one in the text is an error.
    /// @param parameters nothing: NULL.
    /// @throws DatabaseError
    Result execute(const std::string& sql, const std::vector<std::optional<std::string>>& parameters = {});
    /// Executes several statements of the tool's own in one round trip; gives the last one's rows. They are
    /// not cancelled: a COMMIT that is broken off is in doubt.
    /// @throws DatabaseError
    Result execute_script(const std::string& sql);

    bool lost() const { return m_lost; }
    /// As 150004 for 15.4.
    int server_version() const;
    const Address& address() const { return m_address; }

private:
    struct Impl;
    void connect(const std::string& conninfo);
    template <typename Call>
    Result guarded(const std::string& sql, Call&& call);

    ConnectionPlan m_plan;
    Canceller m_canceller;
    std::unique_ptr<Impl> m_impl;
    Address m_address;
    bool m_lost = true;
};

}  // namespace datachange::postgres
