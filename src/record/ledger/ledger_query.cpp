#include "record/ledger/ledger_query.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/text.hpp"
#include "record/ledger/ledger.hpp"
#include "record/ledger/ledger_reader.hpp"

namespace datachange {

namespace {

/// Pragmas that tell of the schema and set nothing, with or without an argument.
bool only_tells(std::string_view pragma) {
    constexpr std::array<std::string_view, 10> telling{
        "table_info",  "table_xinfo",   "table_list",    "index_list",      "index_info",
        "index_xinfo", "database_list", "function_list", "compile_options", "foreign_key_list"};
    return std::find(telling.begin(), telling.end(), pragma) != telling.end();
}

/// Those that act on files or on the process; SQLite and its shell have them, others may be loaded.
bool has_effects(std::string_view function) {
    constexpr std::array<std::string_view, 5> acting{"load_extension", "writefile", "readfile", "edit",
                                                     "fts3_tokenizer"};
    return std::find(acting.begin(), acting.end(), function) != acting.end();
}

int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_READ:
        case SQLITE_RECURSIVE:
            return SQLITE_OK;
        case SQLITE_FUNCTION:
            return has_effects(lower(second)) ? SQLITE_DENY : SQLITE_OK;
        case SQLITE_PRAGMA:
            return only_tells(lower(first)) ? SQLITE_OK : SQLITE_DENY;
        default:
            return SQLITE_DENY;
    }
}

/// The shortest digits that give the same number again; always with a point, an exponent, or inf.
std::string short_real(double number) {
    std::string digits = fmt::format("{}", number);
    if (digits.find_first_of(".en") == std::string::npos) digits += ".0";
    return digits;
}

int ask_to_stop(void* stop) {
    return (*static_cast<std::function<bool()>*>(stop))() ? 1 : 0;
}

constexpr const char* one_select = "Give one SELECT, for example on v_runs, v_row_history or v_changes.";

}  // namespace

void LedgerQuery::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

LedgerQuery::LedgerQuery(const std::string& path, const std::string& sql, std::function<bool()> stop)
    : m_path(path), m_stop(std::move(stop)), m_database(open_ledger_for_reading(path)) {
    if (sql.find('\0') != std::string::npos)
        throw Error(ExitCode::usage, "the query has a NUL byte", one_select);
    sqlite3* const handle = m_database.getHandle();
    constexpr int steps_between = 1000;  // of SQLite's machine: well under a millisecond
    sqlite3_set_authorizer(handle, &authorize, nullptr);
    sqlite3_progress_handler(handle, steps_between, &ask_to_stop, &m_stop);

    const char* rest = sql.c_str();
    m_statement = prepare(rest);
    if (!m_statement) throw Error(ExitCode::usage, "the query is empty", one_select);
    if (prepare(rest)) throw Error(ExitCode::usage, "the query has several statements", one_select);
    const int width = sqlite3_column_count(m_statement.get());
    if (width == 0 || sqlite3_stmt_readonly(m_statement.get()) == 0)
        throw Error(ExitCode::usage, "the query does more than read", one_select);
    for (int place = 0; place < width; ++place)
        m_columns.emplace_back(sqlite3_column_name(m_statement.get(), place));
    m_row.resize(m_columns.size());
    m_numbers.resize(m_columns.size());
}

/// The next statement, without what is but white space and comments; nullptr if there is none.
LedgerQuery::Prepared LedgerQuery::prepare(const char*& sql) {
    while (*sql != '\0') {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(m_database.getHandle(), sql, -1, &statement, &sql) != SQLITE_OK) fail();
        if (statement != nullptr) return Prepared{statement};
    }
    return nullptr;
}

bool LedgerQuery::next() {
    sqlite3_stmt* const statement = m_statement.get();
    const int result = sqlite3_step(statement);
    if (result == SQLITE_DONE) return false;
    if (result != SQLITE_ROW) fail();
    for (std::size_t i = 0; i < m_row.size(); ++i) {
        const int place = static_cast<int>(i);
        const auto bytes = [&](const void* data) {
            return std::string_view{static_cast<const char*>(data),
                                    static_cast<std::size_t>(sqlite3_column_bytes(statement, place))};
        };
        switch (sqlite3_column_type(statement, place)) {
            case SQLITE_INTEGER:
                m_numbers[i] = std::to_string(sqlite3_column_int64(statement, place));
                m_row[i] = {ValueKind::integer, m_numbers[i]};
                break;
            case SQLITE_FLOAT:
                m_numbers[i] = short_real(sqlite3_column_double(statement, place));
                m_row[i] = {ValueKind::real, m_numbers[i]};
                break;
            case SQLITE_TEXT:
                m_row[i] = {ValueKind::text, bytes(sqlite3_column_text(statement, place))};
                break;
            case SQLITE_BLOB:
                m_row[i] = {ValueKind::blob, bytes(sqlite3_column_blob(statement, place))};
                break;
            default:
                m_row[i] = {};
        }
    }
    return true;
}

void LedgerQuery::fail() const {
    sqlite3* const handle = m_database.getHandle();
    const std::string message = sqlite3_errmsg(handle);
    switch (sqlite3_errcode(handle)) {
        case SQLITE_INTERRUPT:
            throw Error(ExitCode::pending, "the query was stopped",
                        "Nothing was changed; LIMIT makes it shorter.");
        case SQLITE_AUTH:
            throw Error(ExitCode::usage, "the query does more than read: " + message, one_select);
        case SQLITE_ERROR:
        case SQLITE_RANGE:
        case SQLITE_TOOBIG:
        case SQLITE_MISMATCH:
            throw Error(ExitCode::usage, "the query is wrong: " + message, one_select);
        default:
            throw ledger_failure(m_path, SQLite::Exception(handle, sqlite3_errcode(handle)));
    }
}

}  // namespace datachange
