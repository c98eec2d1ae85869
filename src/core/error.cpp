#include "datachange/error.hpp"

#include <utility>

#include "datachange/version.hpp"

namespace datachange {

Error::Error(ExitCode code, const std::string& message, std::string hint)
    : std::runtime_error(message), m_code(code), m_hint(std::move(hint)) {
}

Error& Error::at(std::string where) {
    if (m_where.empty()) m_where = std::move(where);
    return *this;
}

std::string Error::text() const {
    std::string text = m_where.empty() ? "" : m_where + ": ";
    text += "error: ";
    text += what();
    if (!m_hint.empty()) text += "\nhint: " + m_hint;
    return text;
}

DatabaseError::DatabaseError(ExitCode code, const std::string& message, std::string sqlstate,
                             std::string statement, std::string hint)
    : Error(code, message, std::move(hint)),
      m_sqlstate(std::move(sqlstate)),
      m_statement(std::move(statement)) {
}

const char* version() noexcept {
    return DATACHANGE_VERSION;
}

}  // namespace datachange
