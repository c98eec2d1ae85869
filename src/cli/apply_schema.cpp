#include "cli/apply_schema.hpp"

#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/compose.hpp"
#include "core/clock.hpp"
#include "core/process.hpp"
#include "core/text.hpp"
#include "record/ledger/version_events.hpp"
#include "run/owner.hpp"

namespace datachange {

namespace {

/// The listener hears of the schema migration as of a run.
class ShownTo {
public:
    ShownTo(Listener& listener, const SchemaFile& file) : m_listener(listener) {
        m_listener.run_started(file.version + " " + file.name, false);
    }
    ~ShownTo() { m_listener.run_ended(); }
    ShownTo(const ShownTo&) = delete;
    ShownTo& operator=(const ShownTo&) = delete;

private:
    Listener& m_listener;
};

/// What may be kept elsewhere of an error of which the database's own words may hold values.
std::string without_values(const Error& error) {
    const auto* const database = dynamic_cast<const DatabaseError*>(&error);
    if (database == nullptr) return error.what();
    if (!database->without_values().empty()) return database->without_values();
    return split(error.what(), '\n').front();
}

}  // namespace

std::string schema_result_text(const SchemaFile& file, const SchemaResult& result) {
    std::string text = counted(result.statements, "statement");
    if (result.resumed_after > 0) text += fmt::format(", the first {} of them before", result.resumed_after);
    text += file.transactional ? " in one transaction" : ", each on its own";
    return fmt::format("{}, {} ms", text, result.duration_ms);
}

SchemaResult execute_schema(const RunOptions& options, Engine engine, const SchemaFile& file,
                            Listener& listener, StopRequest* stop) {
    const auto target =
        connect_target(options.database, engine, options.journal_schema, session_name(file.version));
    target->require_writable();
    std::optional<StopRequest::Interrupt> interrupt;
    if (stop != nullptr) interrupt.emplace(*stop, [&target] { target->cancel(); });
    const std::string operator_name = current_operator(options.operator_name);
    const FenceOwner owner{fmt::format("{}@{} process {}", operator_name, host_name(), ::getpid()),
                           host_name(), ::getpid(), utc_now()};
    const auto record = [&](const std::string& what) {
        record_version_event(
            options.ledger,
            {utc_now(), file.version, target->name(), "schema",
             fmt::format("{} {} (SHA-256 {})", what, file.path, file.sha256), operator_name, host_name()},
            [] {});
    };
    const SchemaWork work{operator_name,   owner, {options.lock_timeout, options.statement_timeout},
                          options.retries, stop,  [&](const std::string& what) { listener.waiting(what); }};
    const ShownTo shown(listener, file);
    record("begun:");  // first: a ledger that cannot be written stops it before anything is changed
    try {
        const SchemaResult result = apply_schema_file(*target, file, work);
        record(result.applied ? fmt::format("applied, {}:", schema_result_text(file, result))
                              : fmt::format("found done by {}:", result.by));
        return result;
    } catch (const Error& error) {
        const std::string where = error.where().empty() ? "" : " at " + error.where();
        try {
            record(fmt::format("not applied, {}{}:", without_values(error), where));
        } catch (const Error&) {
            // the first error is the one that tells why
        }
        throw;
    }
}

}  // namespace datachange
