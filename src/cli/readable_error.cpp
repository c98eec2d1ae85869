#include "cli/readable_error.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

Error readable(const DatabaseError& error) {
    std::vector<std::string> lines = split(error.what(), '\n');
    if (!error.sqlstate().empty()) lines.front() += fmt::format(" ({})", error.sqlstate());
    std::vector<std::string> message;
    std::vector<std::string> hints;
    for (const std::string& line : lines) {
        if (line.starts_with("HINT:")) {
            hints.emplace_back(trim(std::string_view{line}.substr(5)));
        } else {
            message.push_back(line);
        }
    }
    if (!error.hint().empty()) hints.push_back(error.hint());
    Error plain(error.code(), join(message, "\n"), join(hints, " "));
    return plain.at(error.where());
}

Error readable_error(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const DatabaseError& error) {
        return readable(error);
    } catch (const Error& error) {
        return error;
    } catch (const std::exception& error) {
        return {ExitCode::failed, error.what()};
    }
}

}  // namespace datachange
