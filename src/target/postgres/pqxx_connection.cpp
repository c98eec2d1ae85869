#include "target/postgres/pqxx_connection.hpp"

#include <libpq-fe.h>
#include <pqxx/pqxx>

#include "core/text.hpp"
#include "target/postgres/server_error.hpp"

#if PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR < 5
#error "libpqxx 6.4, or 7.5 and later is needed: 7.0 to 7.4 have no pqxx::params"
#endif

namespace datachange::postgres {

struct Result::Rows {
    pqxx::result result;
};

namespace {

pqxx::row_size_type place(std::size_t column) {
    return static_cast<pqxx::row_size_type>(column);
}

}  // namespace

std::size_t Result::size() const {
    return static_cast<std::size_t>(m_rows->result.size());
}

std::vector<ResultColumn> Result::columns() const {
    const pqxx::result& result = m_rows->result;
    std::vector<ResultColumn> columns(static_cast<std::size_t>(result.columns()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        columns[i].name = result.column_name(place(i));
        columns[i].type = result.column_type(place(i));
        columns[i].table = result.column_table(place(i));
        // libpqxx counts from 0, and 6.x takes the negative numbers of system columns for huge ones
        if (columns[i].table != 0) columns[i].attribute = static_cast<int>(result.table_column(place(i))) + 1;
    }
    return columns;
}

void Result::each(const Sink& sink) const {
    const std::size_t width = static_cast<std::size_t>(m_rows->result.columns());
    for (const pqxx::row& row : m_rows->result) {
        for (std::size_t column = 0; column < width; ++column) {
            const pqxx::field field = row[place(column)];
            if (field.is_null()) {
                sink(column, std::nullopt);
            } else {
                sink(column, std::string_view{field.c_str(), static_cast<std::size_t>(field.size())});
            }
        }
    }
}

std::string Result::text(std::size_t row, std::size_t column) const {
    const pqxx::row cells = m_rows->result[static_cast<pqxx::result_size_type>(row)];
    return cells[place(column)].c_str();
}

bool Result::is_null(std::size_t row, std::size_t column) const {
    const pqxx::row cells = m_rows->result[static_cast<pqxx::result_size_type>(row)];
    return cells[place(column)].is_null();
}

namespace {

#if PQXX_VERSION_MAJOR < 7

/// As connect_direct, and keeps what a cancel request needs: libpq lets only the thread that uses the
/// connection ask for it.
class ConnectAndNote final : public pqxx::connect_direct {
public:
    using connect_direct::connect_direct;

    handle do_startconnect(handle former) override {
        const handle made = connect_direct::do_startconnect(former);
        m_cancel.reset(PQgetCancel(made), &PQfreeCancel);
        return made;
    }

    std::function<void()> cancel_request() const {
        return [cancel = m_cancel] {
            std::array<char, 256> reason{};
            PQcancel(cancel.get(), reason.data(), static_cast<int>(reason.size()));
        };
    }

private:
    std::shared_ptr<PGcancel> m_cancel;
};

/// pqxx::connection with that policy within reach.
class PqConnection final : public pqxx::connection_base {
public:
    explicit PqConnection(const std::string& conninfo) : connection_base(m_policy), m_policy(conninfo) {
        init();
        // 6.x reconnects silently by default. Saying no is the only way, and "deprecated" since 7.0 never
        // reconnects.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        inhibit_reactivation(true);
#pragma GCC diagnostic pop
    }
    ~PqConnection() noexcept {
        close();
    }

    std::function<void()> cancel_request() {
        return m_policy.cancel_request();
    }

private:
    ConnectAndNote m_policy;
};

pqxx::result execute_parameters(pqxx::nontransaction& work, const std::string& sql,
                                const std::vector<std::optional<std::string>>& parameters) {
    std::vector<const char*> texts;
    texts.reserve(parameters.size());
    for (const std::optional<std::string>& parameter : parameters) {
        texts.push_back(parameter ? parameter->c_str() : nullptr);
    }
    return work.exec_params(sql, pqxx::prepare::make_dynamic_params(texts));
}

#else

class PqConnection final : public pqxx::connection {
public:
    using connection::connection;

    std::function<void()> cancel_request() {
        return [this] { cancel_query(); };
    }
};

pqxx::result execute_parameters(pqxx::nontransaction& work, const std::string& sql,
                                const std::vector<std::optional<std::string>>& parameters) {
    pqxx::params list;
    list.reserve(parameters.size());
    for (const std::optional<std::string>& parameter : parameters) {
        if (parameter) {
            list.append(*parameter);
        } else {
            list.append();
        }
    }
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
    return work.exec(sql, list);
#else
    return work.exec_params(sql, list);
#endif
}

#endif

/// 6.4 says these by the type of the exception alone; so does 7 the last one.
std::string sqlstate_of(const pqxx::failure& failure) {
    const auto* error = dynamic_cast<const pqxx::sql_error*>(&failure);
    if (error && !error->sqlstate().empty()) return error->sqlstate();
    if (dynamic_cast<const pqxx::insufficient_privilege*>(&failure)) return "42501";
    if (dynamic_cast<const pqxx::serialization_failure*>(&failure)) return "40001";
    if (dynamic_cast<const pqxx::statement_completion_unknown*>(&failure)) return "40003";
    if (dynamic_cast<const pqxx::deadlock_detected*>(&failure)) return "40P01";
    if (dynamic_cast<const pqxx::transaction_rollback*>(&failure)) return "40000";
    if (dynamic_cast<const pqxx::too_many_connections*>(&failure)) return "53300";
    if (dynamic_cast<const pqxx::broken_connection*>(&failure)) return "08000";
    return "";
}

/// A server's error of class 08 is about another connection (dblink, a foreign table), but libpqxx takes it
/// for ours.
bool says_lost(const pqxx::failure& failure) {
    return dynamic_cast<const pqxx::broken_connection*>(&failure) && !is_from_server(failure.what());
}

std::string or_empty(const char* text) {
    return text ? text : "";
}

}  // namespace

struct PqxxConnection::Impl {
    explicit Impl(const std::string& conninfo) : connection(conninfo) { work.emplace(connection); }

    PqConnection connection;
    // transactions are begun and ended in SQL, so that the outcome of COMMIT is ours to judge
    std::optional<pqxx::nontransaction> work;
};

PqxxConnection::PqxxConnection(ConnectionPlan plan) : m_plan(std::move(plan)) {
    connect(m_plan.conninfo);
}

PqxxConnection::~PqxxConnection() {
    close();
}

void PqxxConnection::connect(const std::string& conninfo) {
    try {
        m_impl = std::make_unique<Impl>(conninfo);
    } catch (const std::exception& failure) {
        throw connection_error(m_plan, failure.what());
    }
    PqConnection& connection = m_impl->connection;
    m_address = {or_empty(connection.username()), or_empty(connection.hostname()),
                 or_empty(connection.port()), or_empty(connection.dbname())};
    m_canceller.ask_by(connection.cancel_request());
    m_lost = false;
}

void PqxxConnection::reconnect(bool to_write) {
    close();
    // the last word counts where a keyword stands twice
    connect(m_plan.conninfo + (to_write && m_plan.several_hosts ? "target_session_attrs=read-write" : ""));
}

void PqxxConnection::close() noexcept {
    m_lost = true;
    m_canceller.ask_by({});
    m_impl.reset();
}

int PqxxConnection::server_version() const {
    return m_impl->connection.server_version();
}

template <typename Call>
Result PqxxConnection::guarded(const std::string& sql, Call&& call) {
    if (m_lost) throw lost_connection(sql);
    try {
        return Result{std::make_shared<Result::Rows>(Result::Rows{call()})};
    } catch (const pqxx::failure& failure) {
        const std::string sqlstate = sqlstate_of(failure);
        m_lost = !m_impl->connection.is_open() || says_lost(failure);
        if (m_lost) throw lost_connection(sql, sqlstate);
        throw server_error(failure.what(), sqlstate, sql);
    }
}

Result PqxxConnection::execute(const std::string& sql,
                               const std::vector<std::optional<std::string>>& parameters) {
    const Canceller::Statement in_hand(m_canceller);
    return guarded(sql, [&] { return execute_parameters(*m_impl->work, sql, parameters); });
}

Result PqxxConnection::execute_script(const std::string& sql) {
    return guarded(sql, [&] { return m_impl->work->exec(sql); });
}

}  // namespace datachange::postgres
