#include "target/postgres/postgres_target.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "core/text.hpp"
#include "target/postgres/tables.hpp"
#include "target/sql_text.hpp"

namespace datachange::postgres {

namespace {

/// Statements that begin or end a transaction, or part of one, behind our back. What a procedure or a DO
/// block does to that end the server refuses itself, for the transaction was opened outside of it.
void refuse_transaction_control(const std::string& sql) {
    static constexpr std::array<std::string_view, 11> refused{
        "BEGIN",     "START",   "COMMIT",  "END",        "ROLLBACK", "ABORT",
        "SAVEPOINT", "RELEASE", "PREPARE", "DEALLOCATE", "DISCARD"};
    const std::string keyword = first_keyword(sql, Engine::postgresql);
    if (std::find(refused.begin(), refused.end(), keyword) == refused.end()) return;
    throw DatabaseError(ExitCode::failed, fmt::format("{} is not allowed in a definition", keyword), "2D000",
                        sql, "Leave it out: datachange opens and ends the transactions.");
}

/// Statements that the server neither looks into nor plans before it executes them: PREPARE does not take
/// them.
bool is_utility(const std::string& keyword) {
    static constexpr std::array<std::string_view, 28> utilities{
        "ALTER",   "ANALYZE", "CALL",   "CLOSE",    "CLUSTER", "COMMENT", "COPY",
        "CREATE",  "DECLARE", "DO",     "DROP",     "EXECUTE", "EXPLAIN", "FETCH",
        "GRANT",   "IMPORT",  "LISTEN", "LOCK",     "MOVE",    "NOTIFY",  "REFRESH",
        "REINDEX", "RESET",   "REVOKE", "SECURITY", "SET",     "SHOW",    "TRUNCATE"};
    return std::find(utilities.begin(), utilities.end(), keyword) != utilities.end();
}

}  // namespace

Result PostgresTarget::execute(const std::string& sql, const Parameters& parameters) {
    return in_transaction([&] { return m_connection.execute(sql, parameters); });
}

RowSet PostgresTarget::rows(const std::string& sql, const Parameters& parameters, bool by_name) {
    const std::string keyword = first_keyword(sql, Engine::postgresql);
    const bool utility = is_utility(keyword);
    return in_transaction([&] {
        if (utility || !by_name) {
            const Result result = m_connection.execute(sql, parameters);
            if (utility) m_statements.renew();
            return m_catalog.rows(result);
        }
        const Statements::Answer answer = m_statements.execute(sql, parameters);
        if (!answer.layout) return m_catalog.rows(answer.result);
        if (!*answer.layout) *answer.layout = m_catalog.layout(answer.result);
        return m_catalog.rows(answer.result, **answer.layout);
    });
}

// --- statements
// -----------------------------------------------------------------------------------------------------

RowSet PostgresTarget::query(const SqlTemplate& sql, const Scope& scope) {
    const bool many_keys = scope.affected && sql.uses(SqlPiece::Kind::affected);
    const bool look_up = many_keys && !in_transaction([&] { return m_catalog.has_children(); });
    const BoundStatement statement = bind(sql, scope, look_up);
    refuse_transaction_control(statement.sql);
    m_touched = true;
    return rows(statement.sql, statement.parameters, !statement.planned_for_arrays);
}

RowSet PostgresTarget::query(const std::string& sql, const std::vector<Value>& parameters) {
    Parameters texts;
    texts.reserve(parameters.size());
    for (const Value& parameter : parameters) texts.push_back(parameter_text(parameter, sql));
    // the tool reads nothing but catalogs and its journal
    m_touched = m_touched || first_keyword(sql, Engine::postgresql) != "SELECT";
    return rows(sql, texts);
}

void PostgresTarget::stream(const SqlTemplate& sql, std::size_t rows,
                            const std::function<void(RowSet&&)>& piece) {
    if (m_state == State::none) throw std::logic_error("a transaction must be open to stream in");
    m_touched = true;
    const std::string cursor = fmt::format("datachange_{}", ++m_cursors);
    const BoundStatement statement =
        bind(wrap(fmt::format("DECLARE {} NO SCROLL CURSOR FOR", cursor), sql, ""), Scope{});
    execute(statement.sql, statement.parameters);
    for (bool first = true;; first = false) {
        RowSet fetched = in_transaction([&] {
            return m_catalog.rows(m_connection.execute(fmt::format("FETCH {} FROM {}", rows, cursor)));
        });
        const std::size_t got = fetched.size();
        if (got > 0 || first) piece(std::move(fetched));
        if (got < rows) break;
    }
    execute(fmt::format("CLOSE {}", cursor));
}

void PostgresTarget::stream_change(const SqlTemplate& sql, std::size_t rows,
                                   const std::function<void(RowSet&&)>& piece) {
    if (m_state == State::none) throw std::logic_error("a transaction must be open to stream in");
    const BoundStatement statement = bind(sql, Scope{});
    refuse_transaction_control(statement.sql);
    m_touched = true;
    in_transaction([&] {
        // the columns' types are looked up beforehand: while rows come, nothing else can be asked
        const Layout layout = m_catalog.layout(m_connection.describe(statement.sql));
        RowSet found{layout.columns};
        bool handed_on = false;
        const auto hand_on = [&] {
            piece(std::move(found));
            found = RowSet{layout.columns};
            handed_on = true;
        };
        m_connection.execute_by_row(statement.sql, statement.parameters, [&](const Result& row) {
            m_catalog.append(found, row, layout);
            if (found.size() >= rows) hand_on();
        });
        if (!found.empty() || !handed_on) hand_on();
    });
}

bool PostgresTarget::attempt(const std::function<bool()>& work) {
    execute("SAVEPOINT datachange_attempt");
    const bool done = work();
    if (!done) {
        execute("ROLLBACK TO SAVEPOINT datachange_attempt");
        m_state = State::open;  // also where a statement of it had failed
    }
    execute("RELEASE SAVEPOINT datachange_attempt");
    return done;
}

std::vector<Column> PostgresTarget::describe(const SqlTemplate& sql, const Scope& scope) {
    const BoundStatement statement =
        bind(wrap("SELECT * FROM (", sql, ") AS datachange_described LIMIT 0"), scope);
    return in_transaction(
        [&] { return m_catalog.columns(m_connection.execute(statement.sql, statement.parameters)); });
}

std::optional<std::vector<Column>> PostgresTarget::prepare(const SqlTemplate& sql, const Scope& scope) {
    const std::string keyword = first_keyword(sql.text(), Engine::postgresql);
    refuse_transaction_control(sql.text());
    if (is_utility(keyword)) return std::nullopt;

    const BoundStatement statement = bind(wrap("PREPARE datachange_prepared AS", sql, ""), scope);
    const bool alone = m_state == State::none;
    // behind a pooler only a transaction keeps the two on one server
    if (alone) begin(Isolation::read_only);
    try {
        execute(statement.sql);
        execute("DEALLOCATE datachange_prepared");
    } catch (...) {
        if (alone) rollback();
        throw;
    }
    if (alone) rollback();
    return std::nullopt;
}

// --- catalog and evidence
// -------------------------------------------------------------------------------------------

TableInfo PostgresTarget::table(const std::string& name) {
    return in_transaction([&] { return read_table(m_connection, name); });
}

bool PostgresTarget::has_table(const std::string& name) {
    return in_transaction([&] { return find_table(m_connection, name).has_value(); });
}

TouchedTables PostgresTarget::touched() {
    if (!m_touched) return m_witness.untouched();
    const Result found =
        in_transaction([&] { return m_statements.execute(Witness::touched_query(), {}).result; });
    Witness::Reading reading = m_witness.read(found, m_journal_schema);
    m_transaction_id = std::move(reading.transaction);
    return std::move(reading.touched);
}

std::string PostgresTarget::journal_obstacle() {
    const Result found =
        execute("SELECT p.pubname FROM pg_catalog.pg_publication p WHERE p.puballtables LIMIT 1");
    if (found.size() == 0 || has_table(journal_prefix() + "datachange_runs")) return "";
    return fmt::format(
        "the publication {} is FOR ALL TABLES: a subscriber without the journal's tables would stop at their "
        "first row",
        quote_name(found.text(0, 0)));
}

void PostgresTarget::set_journal_schema(const std::string& schema) {
    m_journal_schema = schema.empty() ? execute("SELECT pg_catalog.current_schema()").text(0, 0) : schema;
    if (m_journal_schema.empty()) {
        throw Error(ExitCode::usage, "there is no current schema for the journal",
                    "Name one by --journal-schema, or set the role's search_path.");
    }
}

std::string PostgresTarget::journal_prefix() const {
    return m_journal_schema.empty() ? "" : quote_name(m_journal_schema) + ".";
}

}  // namespace datachange::postgres

namespace datachange {

std::unique_ptr<Target> connect_postgres(const std::string& url, const std::string& application_name) {
    return std::make_unique<postgres::PostgresTarget>(url, application_name);
}

}  // namespace datachange
