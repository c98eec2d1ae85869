#include "target/postgres/server_error.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/text.hpp"

namespace datachange::postgres {

namespace {

/// Length of the severity, which libpq puts before the server's message in the server's language: "ERROR:  ".
std::size_t severity_length(std::string_view message) {
    const std::size_t colon = message.find(":  ");
    return colon != std::string_view::npos && colon < message.find_first_of(" \n") ? colon + 3 : 0;
}

std::string hint_for(const std::string& sqlstate, const std::string& message) {
    // there is no SQLSTATE of its own for it; where the server speaks another language, the next hint is
    // given
    if (sqlstate == "42501" && message.find("row-level security") != std::string::npos) {
        return "Run as a role that row-level security does not apply to (BYPASSRLS, or the table's owner): "
               "with it, "
               "rows would be left out silently.";
    }
    if (sqlstate == "42501") return "Run as a role that has this privilege, or have it granted.";
    if (sqlstate == "25006") return "The session or the server is read-only; connect to the primary.";
    if (sqlstate == "55P03") return "Another session held the lock for too long; try again.";
    if (sqlstate == "57014") return "It was cancelled, or took longer than the statement timeout.";
    if (sqlstate == "42601" && message.find("prepared statement") != std::string::npos) {
        return "Give one statement at a time.";
    }
    return "";
}

/// What breaks a change most often.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kinds{{
    {"22001", "a value is too long"},
    {"22003", "a number is out of range"},
    {"22007", "a text is no date or time"},
    {"22012", "division by zero"},
    {"22P02", "a text is no value of the type"},
    {"23502", "a value is missing (NOT NULL)"},
    {"23503", "a foreign key is violated"},
    {"23505", "a unique constraint is violated"},
    {"23514", "a check constraint is violated"},
    {"23P01", "an exclusion constraint is violated"},
    {"40001", "other sessions changed the same rows"},
    {"40P01", "deadlock"},
    {"42501", "a privilege is missing"},
    {"55P03", "a lock was not to be had"},
    {"57014", "the statement was cancelled"},
    {"P0001", "a trigger or function raised an error"},
}};

}  // namespace

DatabaseError server_error(const std::string& message, const std::string& sqlstate,
                           const std::string& statement) {
    const std::string bare{trim(std::string_view{message}.substr(severity_length(message)))};
    return DatabaseError(ExitCode::failed, bare, sqlstate, statement, hint_for(sqlstate, bare));
}

std::string without_values(const std::string& sqlstate, const ErrorNames& names) {
    const auto* const kind =
        std::find_if(kinds.begin(), kinds.end(), [&](const auto& known) { return known.first == sqlstate; });
    std::string told = kind == kinds.end() ? "SQLSTATE " + sqlstate : std::string{kind->second};
    const auto add = [&told](const char* what, const std::string& name) {
        if (!name.empty()) told += std::string{", "} + what + " " + name;
    };
    add("constraint", names.constraint);
    add("table", names.table);
    add("column", names.column);
    return told;
}

DatabaseError lost_connection(const std::string& statement, const std::string& sqlstate) {
    static constexpr std::array<std::string_view, 4> farewells{"57P01", "57P02", "57P03", "25P03"};
    const bool known = std::find(farewells.begin(), farewells.end(), sqlstate) != farewells.end();
    return DatabaseError(ExitCode::unreachable, "the connection to the server was lost",
                         known ? sqlstate : "08006", statement,
                         "Check that the server runs; what it had not committed is rolled back.");
}

}  // namespace datachange::postgres
