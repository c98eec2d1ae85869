// The one place where concrete classes meet: drivers, ledger, CSV files.

#include "cli/compose.hpp"

#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "cli/settings.hpp"
#include "datachange/version.hpp"
#include "definition/definition.hpp"
#include "record/record.hpp"
#include "run/rehearsal_target.hpp"
#include "run/runner.hpp"

namespace datachange {

namespace {

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

RunIdentity identity(const std::string& operator_name) {
    RunIdentity identity;
    identity.operator_name = operator_name;
    identity.host = host_name();
    identity.owner = fmt::format("{}@{} process {}", operator_name, identity.host, ::getpid());
    identity.tool_version = version();
    return identity;
}

std::string user_name() {
    const passwd* entry = ::getpwuid(::geteuid());
    return entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::geteuid());
}

}  // namespace

std::unique_ptr<Target> connect_target(const std::string& database, Engine engine,
                                       const std::string& journal_schema) {
    std::unique_ptr<Target> target;
    if (engine == Engine::postgresql) {
        target = connect_postgres(database, fmt::format("datachange/{}", version()));
    } else {
        target = open_sqlite(sqlite_path(database));
    }
    target->set_journal_schema(journal_schema);
    return target;
}

RunResult execute_run(const RunOptions& options, Engine engine, Listener& listener,
                      const std::atomic<bool>* stop) {
    Plan plan = make_plan(read_definition(definition_file(options.definition), engine), options);
    const RecordOptions record_options{options.ledger, options.csv_dir};
    const auto journal =
        options.dry_run ? open_rehearsal_record(record_options) : open_record(record_options);
    const auto target = connect_target(options.database, engine, options.journal_schema);
    target->require_writable();
    target->enforce_foreign_keys(plan.definition.foreign_keys);
    const std::string who = options.operator_name.empty() ? user_name() : options.operator_name;
    const auto rehearsal = options.dry_run ? rehearse(*target) : nullptr;
    Target& used = rehearsal ? *rehearsal : *target;
    return run_plan(plan, {used, *journal, listener, identity(who), options.dry_run, options.again, stop});
}

RunResult run_definition(const RunOptions& options) {
    Listener silent;
    return execute_run(options, engine_of(options.database), silent, nullptr);
}

}  // namespace datachange
