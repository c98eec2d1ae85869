#include "migrate/attempt.hpp"

#include <utility>

#include <fmt/format.h>

#include "run/control.hpp"
#include "run/journal.hpp"

namespace datachange {

Attempt done() {
    Attempt attempt;
    attempt.state = "done";
    return attempt;
}

Attempt failed(std::string error) {
    Attempt attempt;
    attempt.state = "failed";
    attempt.error = std::move(error);
    return attempt;
}

Attempt held(std::string error) {
    Attempt attempt;
    attempt.state = "pending";
    attempt.error = std::move(error);
    attempt.held = true;
    return attempt;
}

Attempt interrupted() {
    Attempt attempt;
    attempt.state = "created";
    attempt.interrupted = true;
    return attempt;
}

Attempt failed_attempt(const Error& error, bool last, std::chrono::milliseconds delay) {
    Attempt attempt;
    attempt.state = last ? "failed" : "pending";
    attempt.error = error_text(error);
    attempt.counts = true;
    attempt.delay = delay;
    return attempt;
}

bool may_pass(const Error& error) {
    if (dynamic_cast<const Cancelled*>(&error) != nullptr) return false;
    if (error.code() == ExitCode::unreachable || error.code() == ExitCode::partial) return true;
    return error.code() == ExitCode::failed && dynamic_cast<const DatabaseError*>(&error) != nullptr;
}

Attempt outcome_of(const Error& error) {
    if (dynamic_cast<const Cancelled*>(&error) != nullptr) return failed(error_text(error));
    // a run that was taken over, though not its item: settling finds out whose the item is
    return error.code() == ExitCode::pending ? held(error_text(error)) : failed(error_text(error));
}

std::string error_text(const Error& error) {
    const auto* database = dynamic_cast<const DatabaseError*>(&error);
    std::string text = error.where().empty() ? "" : error.where() + ": ";
    text += error.what();
    if (database != nullptr && !database->sqlstate().empty())
        text += fmt::format(" ({})", database->sqlstate());
    return text;
}

}  // namespace datachange
