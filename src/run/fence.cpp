#include "run/fence.hpp"

#include <algorithm>
#include <mutex>
#include <sstream>

#include <fmt/format.h>

#include "core/batch_path.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"
#include "run/error_class.hpp"
#include "run/journal_ddl.hpp"

namespace datachange {

namespace {

std::string key_json(const std::optional<Key>& key) {
    return key ? json_array(*key) : std::string{};
}

std::optional<Key> key_of(const std::string& json) {
    return json.empty() ? std::nullopt : std::optional{parse_json_array(json)};
}

/// A frozen set as it stands in datachange_runs.sets: "step keys batch_size greatest", the key as JSON, one
/// line each.
std::string set_line(const FrozenSet& set) {
    return fmt::format("{} {} {} {}\n", set.step, set.keys, set.batch_size, key_json(set.greatest));
}

std::vector<FrozenSet> parse_sets(const std::string& text) {
    std::vector<FrozenSet> sets;
    for (const std::string& line : split(text, '\n')) {
        if (line.empty()) continue;  // behind the last one
        FrozenSet set;
        std::istringstream words(line);
        words >> set.step >> set.keys >> set.batch_size;
        std::string key;
        std::getline(words >> std::ws, key);
        set.greatest = key_of(key);
        sets.push_back(std::move(set));
    }
    return sets;
}

Value number(std::uint64_t value) {
    return Value::integer(static_cast<std::int64_t>(value));
}

bool waits_for_lock(const DatabaseError& error) {
    return error.sqlstate() == "55P03" || error.sqlstate().starts_with("SQLITE_BUSY") ||
           error.sqlstate() == "40001" || error.sqlstate() == "40P01";
}

/// A relation, or something else, of that name.
bool is_there_already(const DatabaseError& error) {
    return error.sqlstate() == "42P07" || error.sqlstate() == "42710";
}

}  // namespace

bool Fence::exists() const {
    return m_target.has_table(table("datachange_runs"));
}

std::string Fence::ddl(Engine engine, const std::string& prefix) {
    std::string text;
    for (const std::string& statement : journal_ddl(engine, prefix)) text += statement + ";\n";
    return text;
}

void Fence::create() {
    const std::string obstacle = m_target.journal_obstacle();
    if (!obstacle.empty()) {
        throw Error(
            ExitCode::failed, "the journal must not be created by itself here: " + obstacle,
            "Create its tables on the subscribers first, then here: `datachange init --print-sql` prints the "
            "statements. Nothing was changed.");
    }
    for (unsigned tries = 1;; ++tries) {
        try {
            return try_create();
        } catch (const DatabaseError& error) {
            m_target.rollback();
            // of two who make them at once one stumbles over the other's, which are there then
            const bool collided = is_duplicate_key(error.sqlstate()) || is_there_already(error) ||
                                  error.sqlstate().starts_with("40");
            if (collided && tries < 3) continue;
            if (waits_for_lock(error)) throw;  // no matter of rights
            throw Error(error.code(), fmt::format("the journal cannot be created: {}", error.what()),
                        "Have a DBA run what `datachange init --print-sql` prints, or name a schema that "
                        "this role may "
                        "write with --journal-schema. Nothing was changed.");
        }
    }
}

void Fence::try_create() {
    m_target.begin(Isolation::repeatable_read);
    for (const std::string& statement : journal_ddl(m_target.engine(), m_target.journal_prefix()))
        m_target.query(statement);
    const CommitResult commit = m_target.commit();
    if (commit.outcome == Outcome::committed || exists()) return;
    throw Error(ExitCode::failed, "the journal cannot be created: " + commit.message,
                "Nothing was changed. Try again.");
}

std::vector<JournalRun> Fence::runs(const std::string& version) const {
    if (!exists()) return {};
    const std::string sql = fmt::format(
        "SELECT r.run_uuid, r.version, r.name, r.definition_sha256, r.state, r.mode, r.operator, r.ticket, "
        "r.started_at, r.finished_at, r.owner, r.host, r.process, r.owned_since, r.epoch, r.rows_changed, "
        "(SELECT count(*) FROM {} b WHERE b.run_uuid = r.run_uuid) "
        "FROM {} r WHERE r.version = $1 OR $1 = '' ORDER BY r.started_at, r.run_uuid",
        table("datachange_batches"), table("datachange_runs"));
    const RowSet rows = m_target.query(sql, {Value::text(version)});
    std::vector<JournalRun> runs;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        JournalRun run;
        std::string* const texts[] = {
            &run.uuid,          &run.version, &run.name,       &run.definition_sha256, &run.state, &run.mode,
            &run.operator_name, &run.ticket,  &run.started_at, &run.finished_at,       &run.owner, &run.host};
        for (std::size_t column = 0; column < std::size(texts); ++column)
            *texts[column] = rows.text(i, column);
        run.process = std::stoll(rows.text(i, 12));
        run.owned_since = rows.text(i, 13);
        run.epoch = std::stoll(rows.text(i, 14));
        run.rows_changed = std::stoull(rows.text(i, 15));
        run.batches = std::stoull(rows.text(i, 16));
        runs.push_back(std::move(run));
    }
    return runs;
}

namespace {

/// Columns request, max_rows_per_second, requested_by, from the place `at` on.
RunRequests requests_of(const RowSet& rows, std::size_t at) {
    RunRequests requests;
    requests.pause = rows.text(0, at) == "pause";
    requests.cancel = rows.text(0, at) == "cancel";
    if (!rows.at(0, at + 1).is_null()) requests.max_rows_per_second = std::stoull(rows.text(0, at + 1));
    requests.by = rows.text(0, at + 2);
    return requests;
}

}  // namespace

RunRequests Fence::requests(const std::string& uuid) const {
    const RowSet rows = m_target.query(
        fmt::format("SELECT request, max_rows_per_second, requested_by FROM {} WHERE run_uuid = $1",
                    table("datachange_requests")),
        {Value::text(uuid)});
    return rows.empty() ? RunRequests{} : requests_of(rows, 0);
}

void Fence::request(const std::string& uuid, const RunRequests& requests) {
    m_target.query(
        fmt::format("INSERT INTO {} (run_uuid, request, max_rows_per_second, requested_by, requested_at) "
                    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run_uuid) DO UPDATE SET request = "
                    "excluded.request, max_rows_per_second = excluded.max_rows_per_second, "
                    "requested_by = excluded.requested_by, requested_at = excluded.requested_at",
                    table("datachange_requests")),
        {Value::text(uuid),
         Value::text(requests.cancel  ? "cancel"
                     : requests.pause ? "pause"
                                      : "none"),
         requests.max_rows_per_second ? number(*requests.max_rows_per_second) : Value{},
         Value::text(requests.by), Value::text(utc_now())});
}

void Fence::refuse_held(const std::string& version) const {
    for (const JournalRun& run : runs(version)) {
        if (!run.active()) continue;
        throw Error(ExitCode::pending,
                    fmt::format("version {} is being run by {} since {} (run {}, {})", version, run.owner,
                                run.started_at, run.uuid.substr(0, 8), run.state),
                    "Two runs of one version at once would change rows twice: wait for the other. Nothing "
                    "was changed.");
    }
    throw Error(ExitCode::pending, fmt::format("version {} was being run by somebody else just now", version),
                "Look at `datachange status`, then try again. Nothing was changed.");
}

void Fence::take(const FenceHeader& header, const std::string& ledger,
                 const std::vector<UsedApproval>& approvals) {
    if (approvals.empty()) {
        insert_run(header, ledger);
    } else {
        take_with(header, ledger, approvals);
    }
    m_held->uuid = header.uuid;
    m_held->version = header.version;
    m_held->ledger = ledger;
    m_held->epoch = header.epoch;
}

/// The run and what lets it through, or neither.
void Fence::take_with(const FenceHeader& header, const std::string& ledger,
                      const std::vector<UsedApproval>& approvals) {
    m_target.begin(Isolation::read_committed);
    try {
        insert_run(header, ledger);
        UsedApprovals(m_target).use(approvals, header.uuid);
    } catch (...) {
        m_target.rollback();
        throw;
    }
    const CommitResult commit = m_target.commit();
    if (commit.outcome == Outcome::committed) return;
    throw DatabaseError(
        commit.outcome == Outcome::in_doubt ? ExitCode::pending : ExitCode::failed,
        "taking the version was not answered: " + commit.message, commit.sqlstate, "COMMIT",
        "No row was changed. Look at `datachange status`, then try again: a run that was entered goes on.");
}

void Fence::insert_run(const FenceHeader& header, const std::string& ledger) {
    try {
        m_target.query(
            fmt::format("INSERT INTO {} (run_uuid, version, name, definition_sha256, state, epoch, mode, "
                        "owner, host, process, owned_since, ledger_uuid, operator, ticket, started_at) "
                        "VALUES ($1, $2, $3, $4, 'processing', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                        table("datachange_runs")),
            {Value::text(header.uuid), Value::text(header.version), Value::text(header.name),
             Value::text(header.definition_sha256), Value::integer(header.epoch), Value::text(header.mode),
             Value::text(header.owner.owner), Value::text(header.owner.host),
             Value::integer(header.owner.process), Value::text(header.owner.since), Value::text(ledger),
             Value::text(header.operator_name), Value::text_or_null(header.ticket),
             Value::text(header.started_at)});
    } catch (const DatabaseError& error) {
        if (!is_duplicate_key(error.sqlstate())) throw;
        m_target.rollback();  // to be able to ask who holds it
        refuse_held(header.version);
    }
}

std::int64_t Fence::take_over(const JournalRun& run, const FenceOwner& owner, const std::string& ledger,
                              std::int64_t least, const std::function<void()>& waiting,
                              const std::vector<UsedApproval>& approvals) {
    m_held->version = run.version;
    m_held->ledger = ledger;
    m_held->epoch = run.epoch;
    raise(run.uuid, least, &owner, waiting, approvals);
    m_held->uuid = run.uuid;
    return m_held->epoch;
}

void Fence::raise_epoch(const std::function<void()>& waiting) {
    raise(m_held->uuid, 0, nullptr, waiting, {});
}

namespace {

/// Has the target wait a second for locks, as long as it is there, so that somebody hears what is waited for.
class ShortPatience {
public:
    ShortPatience(Target& target, const Timeouts& usual) : m_target(target), m_usual(usual) {
        m_target.set_timeouts({std::chrono::seconds{1}, {}});
    }
    ~ShortPatience() { m_target.set_timeouts(m_usual); }
    ShortPatience(const ShortPatience&) = delete;
    ShortPatience& operator=(const ShortPatience&) = delete;

private:
    Target& m_target;
    const Timeouts m_usual;
};

}  // namespace

/// @param least the new epoch is no smaller
void Fence::raise(const std::string& uuid, std::int64_t least, const FenceOwner* owner,
                  const std::function<void()>& waiting, const std::vector<UsedApproval>& approvals) {
    const ShortPatience patience(m_target, m_timeouts);
    const std::unique_lock raising(m_held->mutex);  // workers that begin now find the new one
    const std::int64_t to = std::max(m_held->epoch + 1, least);
    for (;;) {
        try {
            if (try_raise(uuid, to, owner, approvals)) break;
        } catch (const DatabaseError& error) {
            m_target.rollback();
            if (is_duplicate_key(error.sqlstate())) refuse_held(m_held->version);
            if (!waits_for_lock(error)) throw;
        } catch (...) {
            m_target.rollback();
            throw;
        }
        waiting();
    }
    m_held->epoch = to;
}

/// @return false if the COMMIT was refused, and it is worth another try
bool Fence::try_raise(const std::string& uuid, std::int64_t to, const FenceOwner* owner,
                      const std::vector<UsedApproval>& approvals) {
    m_target.begin(Isolation::read_committed);
    const RowSet row = m_target.query(
        fmt::format("UPDATE {} SET epoch = $1 WHERE run_uuid = $2 AND epoch = $3 RETURNING epoch",
                    table("datachange_runs")),
        {Value::integer(to), Value::text(uuid), Value::integer(m_held->epoch)});
    if (row.empty()) throw taken_over_error();
    if (owner) {
        m_target.query(
            fmt::format("UPDATE {} SET state = 'processing', finished_at = NULL, owner = $1, host = $2, "
                        "process = $3, owned_since = $4, ledger_uuid = $5 WHERE run_uuid = $6",
                        table("datachange_runs")),
            {Value::text(owner->owner), Value::text(owner->host), Value::integer(owner->process),
             Value::text(owner->since), Value::text(m_held->ledger), Value::text(uuid)});
    }
    UsedApprovals(m_target).use(approvals, uuid);
    const CommitResult commit = m_target.commit();
    if (commit.outcome == Outcome::in_doubt) {
        throw DatabaseError(ExitCode::pending, "taking the run over was not answered: " + commit.message,
                            commit.sqlstate, "COMMIT",
                            "Nothing else was changed. Try `datachange resume` again.");
    }
    return commit.outcome == Outcome::committed;
}

RunRequests Fence::check() {
    const std::shared_lock comparing(m_held->mutex);
    // SQLite: BEGIN IMMEDIATE has locked everything
    const char* lock = m_target.engine() == Engine::postgresql ? " FOR SHARE OF r" : "";
    const RowSet row = m_target.query(
        fmt::format("SELECT r.epoch, r.state, coalesce(q.request, 'none'), q.max_rows_per_second, "
                    "coalesce(q.requested_by, '') FROM {} r LEFT JOIN {} q ON q.run_uuid = r.run_uuid "
                    "WHERE r.run_uuid = $1{}",
                    table("datachange_runs"), table("datachange_requests"), lock),
        {Value::text(m_held->uuid)});
    const bool ours = row.size() == 1 && row.text(0, 0) == std::to_string(m_held->epoch);
    if (!ours) throw taken_over_error();
    RunRequests requests = requests_of(row, 2);
    const std::string state = row.text(0, 1);
    if (state == "paused") requests.pause = true;  // another worker on the run has found the request already
    if (state != "processing" && state != "paused") {
        throw Error(ExitCode::pending, fmt::format("the run was set to '{}' by somebody else", state),
                    "The batch in hand was not begun; look at `datachange status`.");
    }
    return requests;
}

void Fence::record(const CommittedBatch& batch) {
    m_target.query(
        fmt::format(
            "INSERT INTO {} (run_uuid, step, batch, lower_key, upper_key, rows_changed, leaf, ledger_uuid) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            table("datachange_batches")),
        {Value::text(m_held->uuid), Value::integer(batch.step), Value::text(batch.batch),
         Value::text_or_null(key_json(batch.range.after)), Value::text_or_null(key_json(batch.range.upto)),
         number(batch.rows), Value::text(batch.leaf), Value::text(m_held->ledger)});
}

void Fence::record_set(const FrozenSet& set) {
    const RowSet row = m_target.query(
        fmt::format("UPDATE {} SET sets = sets || $1 WHERE run_uuid = $2 AND epoch = $3 RETURNING run_uuid",
                    table("datachange_runs")),
        {Value::text(set_line(set)), Value::text(m_held->uuid), Value::integer(m_held->epoch)});
    if (row.empty()) throw taken_over_error();
}

bool Fence::has_batch(const CommittedBatch& batch) {
    const RowSet row = m_target.query(
        fmt::format("SELECT count(*) FROM {} WHERE run_uuid = $1 AND step = $2 AND batch = $3 AND leaf = $4",
                    table("datachange_batches")),
        {Value::text(m_held->uuid), Value::integer(batch.step), Value::text(batch.batch),
         Value::text(batch.leaf)});
    return row.text(0, 0) != "0";
}

std::vector<CommittedBatch> Fence::batches_of(const std::string& uuid) const {
    const RowSet rows = m_target.query(
        fmt::format("SELECT step, batch, lower_key, upper_key, rows_changed, leaf, ledger_uuid FROM {} "
                    "WHERE run_uuid = $1 ORDER BY step",
                    table("datachange_batches")),
        {Value::text(uuid)});
    std::vector<CommittedBatch> batches;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const int step = std::stoi(rows.text(i, 0));
        const std::uint64_t count = std::stoull(rows.text(i, 4));
        const KeyRange range{key_of(rows.text(i, 2)), key_of(rows.text(i, 3))};
        batches.push_back({step, rows.text(i, 1), range, count, rows.text(i, 5), rows.text(i, 6)});
    }
    std::sort(batches.begin(), batches.end(), [](const CommittedBatch& a, const CommittedBatch& b) {
        return a.step != b.step ? a.step < b.step : batch_path_less(a.batch, b.batch);
    });
    return batches;
}

JournalBatches Fence::batches() {
    const RowSet sets =
        m_target.query(fmt::format("SELECT sets FROM {} WHERE run_uuid = $1", table("datachange_runs")),
                       {Value::text(m_held->uuid)});
    return {parse_sets(sets.text(0, 0)), batches_of(m_held->uuid)};
}

void Fence::set_state(const std::string& state) {
    const RowSet row = m_target.query(
        fmt::format("UPDATE {} SET state = $1 WHERE run_uuid = $2 AND epoch = $3 RETURNING run_uuid",
                    table("datachange_runs")),
        {Value::text(state), Value::text(m_held->uuid), Value::integer(m_held->epoch)});
    if (row.empty()) throw taken_over_error();
}

void Fence::finish(const std::string& state, std::size_t steps, const std::string& at) {
    const RowSet row = m_target.query(fmt::format("UPDATE {} SET state = $1, finished_at = $2, rows_changed "
                                                  "= (SELECT coalesce(sum(b.rows_changed), 0) "
                                                  "FROM {} b WHERE b.run_uuid = $3 AND b.step <= $4) "
                                                  "WHERE run_uuid = $3 AND epoch = $5 RETURNING run_uuid",
                                                  table("datachange_runs"), table("datachange_batches")),
                                      {Value::text(state), Value::text(at), Value::text(m_held->uuid),
                                       number(steps), Value::integer(m_held->epoch)});
    if (row.empty()) throw taken_over_error();
}

void Fence::give_back_approvals() {
    UsedApprovals(m_target).give_back(m_held->uuid);
}

void Fence::withdraw() {
    give_back_approvals();
    m_target.query(fmt::format("DELETE FROM {} WHERE run_uuid = $1", table("datachange_runs")),
                   {Value::text(m_held->uuid)});
}

TakenOver taken_over_error() {
    return {ExitCode::pending, "the run was taken over by somebody else",
            "Nothing more was changed here; `datachange status` says who goes on with it."};
}

}  // namespace datachange
