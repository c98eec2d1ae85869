#include "target/postgres/connection.hpp"

#include <array>
#include <exception>

#include "core/timings.hpp"
#include "target/postgres/server_error.hpp"

namespace datachange::postgres {

StalePreparation::StalePreparation(const std::string& statement)
    : DatabaseError(ExitCode::failed, "what the statement was prepared for has changed meanwhile", "40001",
                    statement, "Tables were altered while it ran; try again.") {
}

namespace {

using OwnedResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

std::string or_empty(const char* text) {
    return text ? text : "";
}

/// A way to cancel that any thread may use: libpq lets only the thread that uses the connection look at it.
std::function<void()> cancel_request(PGconn* session) {
    return [cancel = std::shared_ptr<PGcancel>(PQgetCancel(session), &PQfreeCancel)] {
        std::array<char, 256> reason{};
        PQcancel(cancel.get(), reason.data(), static_cast<int>(reason.size()));
    };
}

void ignore_notice(void* /*argument*/, const PGresult* /*notice*/) {
}

/// The texts as libpq takes them; they live as long as the parameters.
std::vector<const char*> texts_of(const Parameters& parameters) {
    std::vector<const char*> texts;
    texts.reserve(parameters.size());
    for (const std::optional<std::string>& parameter : parameters) {
        texts.push_back(parameter ? parameter->c_str() : nullptr);
    }
    return texts;
}

std::string field(const PGresult* error, int code) {
    return or_empty(PQresultErrorField(error, code));
}

DatabaseError reported(const PGresult* result, const std::string& sql) {
    const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
    DatabaseError error = server_error(PQresultErrorMessage(result), sqlstate, sql);
    error.set_without_values(
        without_values(sqlstate, {field(result, PG_DIAG_CONSTRAINT_NAME), field(result, PG_DIAG_TABLE_NAME),
                                  field(result, PG_DIAG_COLUMN_NAME)}));
    return error;
}

/// An error about the name that a statement was prepared under, and not of the statement itself. Messages are
/// in the server's language, but they have the name in them.
bool is_stale(const PGresult* error, const std::string& name) {
    if (name.empty()) return false;
    const std::string sqlstate = field(error, PG_DIAG_SQLSTATE);
    if (sqlstate == "26000" || sqlstate == "42P05")
        return field(error, PG_DIAG_MESSAGE_PRIMARY).find(name) != std::string::npos;
    return sqlstate == "0A000" && field(error, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery";
}

}  // namespace

Connection::Connection(ConnectionPlan plan) : m_plan(std::move(plan)) {
    connect(m_plan.conninfo);
}

void Connection::connect(const std::string& conninfo) {
    m_session.reset(PQconnectdb(conninfo.c_str()));
    PGconn* const session = m_session.get();
    if (PQstatus(session) != CONNECTION_OK) {
        const Error error = connection_error(m_plan, or_empty(PQerrorMessage(session)));
        close();
        throw error;
    }
    PQsetNoticeReceiver(session, &ignore_notice, nullptr);
    m_address = {or_empty(PQuser(session)), or_empty(PQhost(session)), or_empty(PQport(session)),
                 or_empty(PQdb(session))};
    m_canceller.ask_by(cancel_request(session));
    m_lost = false;
}

void Connection::reconnect(bool to_write) {
    close();
    // the last word counts where a keyword stands twice
    connect(m_plan.conninfo + (to_write && m_plan.several_hosts ? "target_session_attrs=read-write" : ""));
}

void Connection::close() noexcept {
    m_lost = true;
    m_canceller.ask_by({});
    m_session.reset();
}

Result Connection::execute(const std::string& sql, const Parameters& parameters) {
    const Canceller::Statement in_hand(m_canceller);
    const std::vector<const char*> texts = texts_of(parameters);
    return perform(sql,
                   [&] {
                       return PQsendQueryParams(m_session.get(), sql.c_str(), static_cast<int>(texts.size()),
                                                nullptr, texts.data(), nullptr, nullptr, 0);
                   })
        .back();
}

void Connection::prepare(const std::string& name, const std::string& sql) {
    const Canceller::Statement in_hand(m_canceller);
    perform(
        sql, [&] { return PQsendPrepare(m_session.get(), name.c_str(), sql.c_str(), 0, nullptr); }, name);
}

Result Connection::execute_prepared(const std::string& name, const std::string& sql,
                                    const Parameters& parameters) {
    const Canceller::Statement in_hand(m_canceller);
    const std::vector<const char*> texts = texts_of(parameters);
    const auto send = [&] {
        return PQsendQueryPrepared(m_session.get(), name.c_str(), static_cast<int>(texts.size()),
                                   texts.data(), nullptr, nullptr, 0);
    };
    return perform(sql, send, name).back();
}

Result Connection::describe(const std::string& sql) {
    const Canceller::Statement in_hand(m_canceller);
    perform(sql, [&] { return PQsendPrepare(m_session.get(), "", sql.c_str(), 0, nullptr); });
    return perform(sql, [&] { return PQsendDescribePrepared(m_session.get(), ""); }).back();
}

void Connection::execute_by_row(const std::string& sql, const Parameters& parameters, const TakeRow& row) {
    const Canceller::Statement in_hand(m_canceller);
    const std::vector<const char*> texts = texts_of(parameters);
    const auto send = [&] {
        const bool sent = PQsendQueryParams(m_session.get(), sql.c_str(), static_cast<int>(texts.size()),
                                            nullptr, texts.data(), nullptr, nullptr, 0) == 1;
        return sent ? PQsetSingleRowMode(m_session.get()) : 0;
    };
    std::exception_ptr failure;
    perform(sql, send, {}, [&](const Result& result) {
        try {
            if (!failure) row(result);
        } catch (...) {
            failure = std::current_exception();
        }
    });
    if (failure) std::rethrow_exception(failure);
}

std::vector<Result> Connection::execute_script(const std::string& sql) {
    return perform(sql, [&] { return PQsendQuery(m_session.get(), sql.c_str()); });
}

template <typename Send>
std::vector<Result> Connection::perform(const std::string& sql, Send&& send, const std::string& name,
                                        const TakeRow& row) {
    if (m_lost) throw lost_connection(sql);
    const PhaseTimer timer(Phase::server);
    if (send() == 0) {
        m_lost = PQstatus(m_session.get()) != CONNECTION_OK;
        if (m_lost) throw lost_connection(sql);
        throw server_error(or_empty(PQerrorMessage(m_session.get())), "", sql);
    }
    return collect(sql, name, row);
}

/// What the server answers, to the end. The first error is the one that tells why: where a connection breaks,
/// the server's farewell comes before libpq's own words.
std::vector<Result> Connection::collect(const std::string& sql, const std::string& name, const TakeRow& row) {
    std::vector<Result> results;
    OwnedResult error(nullptr, &PQclear);
    bool copied = false;
    while (PGresult* const result = PQgetResult(m_session.get())) {
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            error ? PQclear(result) : error.reset(result);
            continue;
        }
        if (status == PGRES_SINGLE_TUPLE) {
            row(Result(result));
            continue;
        }
        results.emplace_back(result);
        if (status != PGRES_COPY_IN && status != PGRES_COPY_OUT) continue;
        copied = true;
        end_copy(status);
    }
    m_lost = PQstatus(m_session.get()) != CONNECTION_OK;
    if (m_lost) throw lost_connection(sql, field(error.get(), PG_DIAG_SQLSTATE));
    if (copied) {
        throw DatabaseError(ExitCode::failed, "COPY from or to the client is not possible here", "0A000", sql,
                            "Use INSERT or SELECT, or COPY with a file of the server.");
    }
    if (error && is_stale(error.get(), name)) throw StalePreparation(sql);
    if (error) throw reported(error.get(), sql);
    return results;
}

void Connection::end_copy(ExecStatusType direction) {
    if (direction == PGRES_COPY_IN) {
        PQputCopyEnd(m_session.get(), "there is nothing to copy");
        return;
    }
    char* line = nullptr;
    while (PQgetCopyData(m_session.get(), &line, 0) > 0) PQfreemem(line);
}

}  // namespace datachange::postgres
