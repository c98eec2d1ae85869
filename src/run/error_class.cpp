#include "run/error_class.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace datachange {

namespace {

bool is_one_of(std::string_view sqlstate, std::initializer_list<std::string_view> codes) {
    return std::find(codes.begin(), codes.end(), sqlstate) != codes.end();
}

/// SQLite's code itself or an extended one of it: SQLITE_BUSY, SQLITE_BUSY_SNAPSHOT.
bool is_kind_of(std::string_view name, std::string_view code) {
    return name.starts_with(code) && (name.size() == code.size() || name[code.size()] == '_');
}

ErrorClass classify_sqlite(std::string_view name) {
    if (is_kind_of(name, "SQLITE_BUSY") || is_kind_of(name, "SQLITE_LOCKED")) return ErrorClass::transient;
    if (is_kind_of(name, "SQLITE_INTERRUPT")) return ErrorClass::too_long;
    if (is_kind_of(name, "SQLITE_CONSTRAINT") || is_kind_of(name, "SQLITE_MISMATCH")) return ErrorClass::data;
    return ErrorClass::other;
}

}  // namespace

ErrorClass classify(const std::string& sqlstate) {
    if (sqlstate.starts_with("SQLITE_")) return classify_sqlite(sqlstate);
    if (sqlstate == "40001") return ErrorClass::serialization;
    // deadlock, lock not available, too many connections, configuration limit
    if (is_one_of(sqlstate, {"40P01", "55P03", "53300", "53400"})) return ErrorClass::transient;
    // the server shut down, crashed or starts up; the session was idle for too long
    if (sqlstate.starts_with("08") || is_one_of(sqlstate, {"57P01", "57P02", "57P03", "57P05", "25P03"}))
        return ErrorClass::connection;
    if (sqlstate == "57014") return ErrorClass::too_long;
    // 40002: a deferred constraint; 44000: WITH CHECK OPTION; P0001: RAISE EXCEPTION, how triggers reject a
    // row
    if (sqlstate.starts_with("22") || sqlstate.starts_with("23") ||
        is_one_of(sqlstate, {"40002", "44000", "P0001"}))
        return ErrorClass::data;
    return ErrorClass::other;
}

bool is_duplicate_key(const std::string& sqlstate) {
    return sqlstate == "23505" || is_kind_of(sqlstate, "SQLITE_CONSTRAINT");
}

}  // namespace datachange
