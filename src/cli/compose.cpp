// The one place where concrete classes meet: drivers, ledger, CSV files.

#include "cli/compose.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "approve/admission.hpp"
#include "cli/settings.hpp"
#include "core/hash.hpp"
#include "core/process.hpp"
#include "core/redaction.hpp"
#include "core/text.hpp"
#include "core/timings.hpp"
#include "datachange/version.hpp"
#include "definition/definition.hpp"
#include "record/record.hpp"
#include "report/hook_listener.hpp"
#include "run/owner.hpp"
#include "run/rehearsal_target.hpp"
#include "run/runner.hpp"
#include "target/postgres/conninfo.hpp"
#include "target/redacting_target.hpp"

namespace datachange {

namespace {

RunIdentity identity(const std::string& operator_name) {
    RunIdentity identity;
    identity.operator_name = operator_name;
    identity.host = host_name();
    identity.process = ::getpid();
    identity.owner = fmt::format("{}@{} process {}", operator_name, identity.host, identity.process);
    identity.tool_version = version();
    return identity;
}

std::string user_name() {
    const passwd* entry = ::getpwuid(::geteuid());
    return entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::geteuid());
}

/// A size that somebody gave is meant; one that nobody gave follows the duration of batches.
BatchSizing sizing(const PaceOptions& pace, bool size_given) {
    BatchSizing sizing;
    sizing.adaptive = pace.target_batch_time.has_value() || !size_given;
    if (pace.target_batch_time) sizing.target = *pace.target_batch_time;
    sizing.least = pace.min_batch_size;
    sizing.most = pace.max_batch_size;
    return sizing;
}

unsigned worker_count(const RunOptions& options, Engine engine) {
    if (engine == Engine::postgresql) return std::max(1U, options.workers.value_or(2));
    if (options.workers.value_or(1) <= 1) return 1;
    throw Error(ExitCode::usage, "a SQLite file has one writer at a time, so --workers cannot be more than 1",
                "Leave --workers out. Nothing was changed.");
}

bool gives_batch_size(const Plan& plan) {
    return std::any_of(plan.steps.begin(), plan.steps.end(),
                       [](const StepPlan& step) { return step.step.batch_size.has_value(); });
}

/// Waits for another program that has the ledger; tests have less patience.
int ledger_lock_timeout_ms() {
    const char* const given = std::getenv("DATACHANGE_LEDGER_TIMEOUT");
    return given == nullptr ? RecordOptions{}.ledger_lock_timeout_ms : std::atoi(given);
}

/// The key of a run's digests, or "" where nothing is redacted.
std::string redaction_key(const Plan& plan, const std::string& given) {
    if (!plan.redacts()) return {};
    if (given.size() >= Redactor::shortest_key) return given;
    throw Error(ExitCode::usage,
                given.empty() ? "the definition redacts columns, and DATACHANGE_REDACT_KEY is not set"
                              : fmt::format("DATACHANGE_REDACT_KEY has {}, and needs {} at least",
                                            counted(given.size(), "byte"), Redactor::shortest_key),
                "Make a key once (`openssl rand -hex 32`), keep it where secrets are kept, and set it in the "
                "environment or in .env. Nothing was changed.")
        .at(plan.definition.path);
}

/// What hooks are told besides what becomes of the run. Where datachange reads such a variable itself, it has
/// the value in force, so that a hook may call datachange.
HookOptions hooks_for(const RunOptions& options) {
    HookOptions hooks = options.hooks;
    const auto add = [&](const char* name, const std::string& value) {
        hooks.environment.emplace_back(name, value);
    };
    add("DATACHANGE_OPERATOR", current_operator(options.operator_name));
    add("DATACHANGE_HOST", host_name());
    add("DATACHANGE_LEDGER", std::filesystem::absolute(options.ledger).string());
    add("DATACHANGE_CSV_DIR", std::filesystem::absolute(options.csv_dir).string());
    add("DATACHANGE_JOURNAL_SCHEMA", options.journal_schema);
    return hooks;
}

/// A datachange that a hook calls has no hooks: they would call each other without end.
bool has_hooks(const RunOptions& options) {
    return options.hooks.any() && !options.dry_run && std::getenv("DATACHANGE_EVENT") == nullptr;
}

/// Puts the concrete parts together for one run, and has `work` use them.
template <typename Work>
RunResult with_parts(const Plan& plan, const RunOptions& options, Engine engine, Listener& told,
                     StopRequest* stop, Work&& work) {
    // first, so that it waits for hooks when everything else is closed
    std::optional<HookListener> hooks;
    if (has_hooks(options)) hooks.emplace(hooks_for(options), told);
    Listener& listener = hooks ? *hooks : told;
    const std::string redact_key = redaction_key(plan, options.redact_key);
    const RecordOptions record_options{options.ledger, options.csv_dir, ledger_lock_timeout_ms()};
    const auto journal =
        options.dry_run ? open_rehearsal_record(record_options) : open_record(record_options);
    const auto connect = [&] {
        auto connected = connect_target(options.database, engine, options.journal_schema,
                                        session_name(plan.definition.version));
        return redact_key.empty() ? std::move(connected) : redacting(std::move(connected), redact_key);
    };
    const auto target = connect();
    target->require_writable();
    target->enforce_foreign_keys(plan.definition.foreign_keys);
    std::optional<StopRequest::Interrupt> interrupt;
    if (stop) interrupt.emplace(*stop, [&target] { target->cancel(); });
    const auto rehearsal = options.dry_run ? rehearse(*target) : nullptr;
    const PaceOptions& pace = options.pace;
    RunParts parts{rehearsal ? *rehearsal : *target, *journal, listener, {}};
    parts.identity = identity(current_operator(options.operator_name));
    parts.dry_run = options.dry_run;
    parts.again = options.again;
    parts.stop = stop;
    parts.workers = worker_count(options, engine);
    parts.connect = connect;
    if (!redact_key.empty()) parts.redaction_key = Redactor(redact_key).fingerprint();
    parts.hash_identifiers = options.hash_identifiers;
    parts.retries = options.retries;
    parts.max_failures = options.max_failures;
    parts.timeouts = {options.lock_timeout, options.statement_timeout};
    parts.keep_batch_size = !options.batch_size && !pace.target_batch_time;
    parts.sizing = sizing(pace, options.batch_size.has_value() || gives_batch_size(plan));
    parts.throttle = {pace.max_rows_per_second, pace.sleep, pace.max_lag, pace.throttle_flag_file,
                      pace.throttle_query};
    std::optional<Timings> timings;
    if (options.timings) timings.emplace();
    RunResult result = work(parts);
    if (timings) {
        for (const Phase phase : all_phases)
            result.timings.emplace_back(phase_name(phase), timings->seconds(phase));
    }
    return result;
}

Plan plan_of(const RunOptions& options, Engine engine) {
    return make_plan(read_definition(definition_file(options.definition), engine), options);
}

void supervise(RunParts& parts, const Supervision* supervision) {
    if (supervision == nullptr) return;
    parts.entered = supervision->entered;
    parts.identity.owner += " " + supervision->role;
}

/// Where approvals are required, nobody runs a definition alone. A rehearsal changes nothing; an undo takes
/// back what was approved.
Admit admission(const Plan& plan, const RunOptions& options, const Target& target) {
    if (options.approvals.required == 0 || options.dry_run) return {};
    return require_approvals(plan.definition, options.approvals, target.name(),
                             {current_operator(options.operator_name), user_name()});
}

/// Plans the undo with a connection of its own, and puts the parts together.
template <typename Work>
RunResult with_undo(const RunOptions& options, const UndoOptions& undo, Engine engine, Listener& listener,
                    StopRequest* stop, Work&& work) {
    if (options.workers.value_or(1) > 1) {
        throw Error(ExitCode::usage, "an undo goes backwards, one batch behind the other",
                    "Leave --workers out. Nothing was changed.");
    }
    const auto source = open_undo_source(options.ledger, undo.run, engine, undo.partial, undo.from_ledger);
    UndoRun run{*source, undo.on_conflict, undo.partial, undo.from_ledger, {}};
    const Plan plan = plan_undo(*connect_target(options.database, engine, options.journal_schema), *source,
                                options, undo.ticket, run.steps);
    return with_parts(plan, options, engine, listener, stop, [&](RunParts& parts) {
        parts.undo = &run;
        return work(plan, parts);
    });
}

}  // namespace

std::unique_ptr<Target> connect_target(const std::string& database, Engine engine,
                                       const std::string& journal_schema, const std::string& session) {
    std::unique_ptr<Target> target;
    if (engine == Engine::postgresql) {
        target = connect_postgres(database, session);
    } else {
        target = open_sqlite(sqlite_path(database));
    }
    target->set_journal_schema(journal_schema);
    return target;
}

std::string target_name(const std::string& database, Engine engine) try {
    if (engine == Engine::postgresql)
        return postgres::address_text(postgres::plan_connection(database, "").address);
    return "sqlite:" + std::filesystem::absolute(sqlite_path(database)).lexically_normal().string();
} catch (const std::exception&) {
    return {};
}

std::string current_operator(const std::string& given) {
    return given.empty() ? user_name() : given;
}

RunResult execute_run(const RunOptions& options, Engine engine, Listener& listener, StopRequest* stop,
                      const Supervision* supervision) {
    const Plan plan = plan_of(options, engine);
    return with_parts(plan, options, engine, listener, stop, [&](RunParts& parts) {
        supervise(parts, supervision);
        parts.admit = admission(plan, options, parts.target);
        return run_plan(plan, parts);
    });
}

void require_approved(const RunOptions& options, Engine engine, const std::string& run) {
    if (options.approvals.required == 0 || options.dry_run) return;
    const Plan plan = plan_of(options, engine);
    const auto target = connect_target(options.database, engine, options.journal_schema);
    admission(plan, options, *target)({run, {}, UsedApprovals(*target).all(plan.definition.version)});
}

RunResult execute_resume(const RunOptions& options, const ResumeOptions& resume, Engine engine,
                         Listener& listener, StopRequest* stop, const Supervision* supervision) {
    RunOptions resumed = options;
    // who only ends a run has no values to redact, and needs no key
    if (resume.cancel && resumed.redact_key.empty()) resumed.redact_key = new_uuid();
    const Plan plan = plan_of(resumed, engine);
    return with_parts(plan, resumed, engine, listener, stop, [&](RunParts& parts) {
        supervise(parts, supervision);
        parts.admit = admission(plan, resumed, parts.target);
        return resume_plan(plan, parts, resume);
    });
}

RunResult execute_undo(const RunOptions& options, const UndoOptions& undo, Engine engine, Listener& listener,
                       StopRequest* stop) {
    return with_undo(options, undo, engine, listener, stop,
                     [](const Plan& plan, const RunParts& parts) { return run_plan(plan, parts); });
}

RunResult execute_undo_resume(const RunOptions& options, const UndoOptions& undo, const ResumeOptions& resume,
                              Engine engine, Listener& listener, StopRequest* stop) {
    return with_undo(options, undo, engine, listener, stop, [&](const Plan& plan, const RunParts& parts) {
        return resume_plan(plan, parts, resume);
    });
}

void call_hooks(const RunOptions& options, const RunNotice& notice, Listener& listener) {
    if (has_hooks(options)) HookListener(hooks_for(options), listener).run_concluded(notice);
}

RunResult run_definition(const RunOptions& options) {
    Listener silent;
    return execute_run(options, engine_of(options.database), silent, nullptr);
}

RunResult undo_run(const RunOptions& options, const UndoOptions& undo) {
    Listener silent;
    return execute_undo(options, undo, engine_of(options.database), silent, nullptr);
}

RunResult resume_run(const RunOptions& options, const ResumeOptions& resume) {
    Listener silent;
    return execute_resume(options, resume, engine_of(options.database), silent, nullptr);
}

}  // namespace datachange
