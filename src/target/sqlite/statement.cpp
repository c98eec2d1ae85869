#include "target/sqlite/statement.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>
#include <sqlite3.h>

#include "target/sql_text.hpp"
#include "target/sqlite/errors.hpp"

namespace datachange::sqlite {

Statement::Statement(sqlite3* database, const std::string& sql)
    : m_database(database), m_sql(sql), m_handle(nullptr, &sqlite3_finalize) {
    sqlite3_stmt* handle = nullptr;
    const char* tail = nullptr;
    const int result =
        sqlite3_prepare_v3(database, m_sql.c_str(), static_cast<int>(m_sql.size()), 0, &handle, &tail);
    m_handle.reset(handle);
    if (result != SQLITE_OK) throw last_error(database, m_sql);
    if (!is_blank_sql(tail, Engine::sqlite)) {
        throw DatabaseError(ExitCode::failed, "a second statement follows in the same text", "SQLITE_ERROR",
                            m_sql, "Give one statement at a time.");
    }
}

bool Statement::reads_only() const {
    return sqlite3_stmt_readonly(m_handle.get()) != 0;
}

void Statement::bind(const std::string& prefix, const std::vector<Value>& values) {
    std::vector<int> places;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::string name = prefix + std::to_string(i + 1);
        places.push_back(sqlite3_bind_parameter_index(m_handle.get(), name.c_str()));
    }
    const bool all_known = std::find(places.begin(), places.end(), 0) == places.end();
    if (!all_known || sqlite3_bind_parameter_count(m_handle.get()) != static_cast<int>(values.size())) {
        throw DatabaseError(ExitCode::failed, "the statement has bind parameters of its own", "SQLITE_RANGE",
                            m_sql,
                            "Write values as literals: nothing would be bound to ?, :name, @name or $name.");
    }
    for (std::size_t i = 0; i < values.size(); ++i) bind_one(places[i], values[i]);
}

void Statement::bind_in_place(const std::vector<Value>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) bind_one(static_cast<int>(i) + 1, values[i]);
}

void Statement::bind_one(int place, const Value& value) {
    sqlite3_stmt* const handle = m_handle.get();
    const std::string& bytes = value.bytes;
    int result = SQLITE_OK;
    switch (value.kind) {
        case ValueKind::null:
            result = sqlite3_bind_null(handle, place);
            break;
        case ValueKind::boolean:
            result = sqlite3_bind_int(handle, place, bytes == "t" ? 1 : 0);
            break;
        case ValueKind::integer:
            result = sqlite3_bind_int64(handle, place, std::strtoll(bytes.c_str(), nullptr, 10));
            break;
        case ValueKind::real:
            // 17 digits name one double, and strtod reads "inf" as well
            result = sqlite3_bind_double(handle, place, std::strtod(bytes.c_str(), nullptr));
            break;
        case ValueKind::text:
            result =
                sqlite3_bind_text64(handle, place, bytes.data(), bytes.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
            break;
        case ValueKind::blob:
            // a null pointer would bind NULL, not the empty blob
            result = sqlite3_bind_blob64(handle, place, bytes.empty() ? "" : bytes.data(), bytes.size(),
                                         SQLITE_TRANSIENT);
            break;
        case ValueKind::digest:
            throw std::logic_error("a digest is no value of the target");
    }
    if (result != SQLITE_OK) throw last_error(m_database, m_sql);
}

bool Statement::step() {
    if (!m_handle) return false;  // nothing but comments
    const int result = sqlite3_step(m_handle.get());
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    DatabaseError error = last_error(m_database, m_sql);
    sqlite3_reset(m_handle.get());
    throw error;
}

void Statement::reset() noexcept {
    if (!m_handle) return;
    sqlite3_reset(m_handle.get());
    sqlite3_clear_bindings(m_handle.get());
}

namespace {

std::string or_empty(const char* text) {
    return text ? text : "";
}

}  // namespace

std::vector<Column> Statement::columns() const {
    sqlite3_stmt* const handle = m_handle.get();
    std::vector<Column> columns(static_cast<std::size_t>(handle ? sqlite3_column_count(handle) : 0));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const int place = static_cast<int>(i);
        columns[i].name = or_empty(sqlite3_column_name(handle, place));
        columns[i].type = or_empty(sqlite3_column_decltype(handle, place));
        const char* const table = sqlite3_column_table_name(handle, place);
        if (!table) continue;
        columns[i].origin_table = or_empty(sqlite3_column_database_name(handle, place)) + "." + table;
        columns[i].origin_column = or_empty(sqlite3_column_origin_name(handle, place));
    }
    return columns;
}

namespace {

void add_integer(RowSet& rows, sqlite3_int64 number) {
    const fmt::format_int digits(number);
    rows.add(ValueKind::integer, {digits.data(), digits.size()});
}

}  // namespace

void Statement::append_row(RowSet& rows) const {
    sqlite3_stmt* const handle = m_handle.get();
    const int width = static_cast<int>(rows.width());
    for (int place = 0; place < width; ++place) {
        const auto bytes = [&](const void* data) {
            return std::string_view{static_cast<const char*>(data),
                                    static_cast<std::size_t>(sqlite3_column_bytes(handle, place))};
        };
        switch (sqlite3_column_type(handle, place)) {
            case SQLITE_INTEGER:
                add_integer(rows, sqlite3_column_int64(handle, place));
                break;
            case SQLITE_FLOAT:
                rows.add(ValueKind::real, real_text(sqlite3_column_double(handle, place)));
                break;
            case SQLITE_TEXT:
                rows.add(ValueKind::text, bytes(sqlite3_column_text(handle, place)));
                break;
            case SQLITE_BLOB:
                rows.add(ValueKind::blob, bytes(sqlite3_column_blob(handle, place)));
                break;
            default:
                rows.add(ValueKind::null, {});
                break;
        }
    }
}

StatementCache::Lease StatementCache::take(const std::string& sql,
                                           const std::function<std::unique_ptr<Statement>()>& compile) {
    const auto found =
        std::find_if(m_idle.begin(), m_idle.end(), [&](const auto& idle) { return idle->sql() == sql; });
    if (found == m_idle.end()) return Lease{*this, compile()};
    std::unique_ptr<Statement> statement = std::move(*found);
    m_idle.erase(found);
    return Lease{*this, std::move(statement)};
}

StatementCache::Lease::~Lease() {
    if (!m_statement) return;  // moved from
    m_statement->reset();
    if (m_cache.m_idle.size() >= capacity) m_cache.m_idle.erase(m_cache.m_idle.begin());
    m_cache.m_idle.push_back(std::move(m_statement));
}

}  // namespace datachange::sqlite
