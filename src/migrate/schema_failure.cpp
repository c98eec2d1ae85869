#include "migrate/schema_failure.hpp"

#include <fmt/format.h>

#include "core/located.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

/// The beginning of a statement, on one line.
std::string one_line(const std::string& sql) {
    constexpr std::size_t longest = 160;
    std::string line;
    for (const char c : sql) {
        const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
        if (blank && (line.empty() || line.back() == ' ')) continue;
        line += blank ? ' ' : c;
    }
    if (line.size() <= longest) return line;
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;  // no half character
    return line.substr(0, end) + "…";
}

std::string advice(const DatabaseError& error, const SchemaFailure& failure) {
    if (failure.file.transactional) {
        const bool cannot = error.sqlstate() == "25001";  // "... cannot run inside a transaction block"
        return std::string{cannot ? "Give it a file of its own that says `-- transaction: no` before it. "
                                  : ""} +
               "Nothing of the file was applied.";
    }
    std::string text;
    if (failure.at != nullptr && failure.at->builds_index_concurrently && !failure.lost)
        text = "An index that could not be built concurrently is left invalid: drop it first. ";
    if (failure.interrupted) {
        text +=
            "This statement was in hand when an earlier attempt was cut off: if it had been done then, take "
            "it back "
            "by hand. ";
    }
    if (failure.done == 0)
        return text + "Mend the cause and migrate again: no statement of the file counts as done.";
    return text +
           fmt::format(
               "{} before it {}. Mend the cause and migrate again: it goes on with this one; the file has "
               "to stay as it is.",
               counted(failure.done, "statement"), failure.done == 1 ? "stays" : "stay");
}

ExitCode code_of(const DatabaseError& error, const SchemaFailure& failure) {
    if (failure.stopped) return ExitCode::pending;
    if (failure.lost) return ExitCode::unreachable;
    if (!failure.file.transactional && failure.done > 0) return ExitCode::partial;
    return error.code();
}

}  // namespace

DatabaseError schema_error(const DatabaseError& error, const SchemaFailure& failure) {
    std::string message = error.what();
    if (failure.at != nullptr) {
        message += fmt::format("\nstatement {} of {}: {}", failure.number, failure.statements,
                               one_line(failure.at->sql));
    }
    DatabaseError told(code_of(error, failure), message, error.sqlstate(), error.statement(),
                       (error.hint().empty() ? "" : error.hint() + " ") + advice(error, failure));
    told.set_without_values(error.without_values());
    told.at(place_text(failure.file.path, failure.at != nullptr ? failure.at->at : SourcePosition{}));
    return told;
}

}  // namespace datachange
