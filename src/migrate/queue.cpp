#include "migrate/queue.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/failpoint.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "run/fence.hpp"

namespace datachange {

namespace {

constexpr std::size_t longest_name = 200;  // bytes, of people, hosts and workers
constexpr const char* open_states = "('created', 'pending', 'processing', 'failed')";

/// Cut at a character.
std::string cut(std::string text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    std::size_t end = bytes - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    return text.substr(0, end) + "...";
}

std::string on_one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
    return text;
}

/// What stands behind the time.
std::string_view message_of(const std::string& error) {
    return std::string_view{error}.substr(std::min(error.find(' '), error.size()));
}

/// Ends a transaction of the queue's own. What is in doubt is thrown: everything here may be done twice.
void commit(Target& target) {
    const CommitResult commit = target.commit();
    if (commit.outcome == Outcome::committed) return;
    throw DatabaseError(commit.outcome == Outcome::in_doubt ? ExitCode::unreachable : ExitCode::failed,
                        "the queue could not be written: " + commit.message, commit.sqlstate, "COMMIT",
                        "`datachange queue` shows what stands there now.");
}

/// Does work in a transaction.
template <typename Work>
auto in_transaction(Target& target, Work&& work) {
    target.begin(Isolation::read_committed);
    try {
        auto result = work();
        commit(target);
        return result;
    } catch (...) {
        target.rollback();
        throw;
    }
}

std::chrono::milliseconds duration(const std::string& number) {
    return std::chrono::milliseconds{number.empty() ? 0 : std::stoll(number)};
}

QueueItem item_of(const RowSet& rows, std::size_t row) {
    QueueItem item;
    std::size_t column = 0;
    const auto text = [&] { return rows.text(row, column++); };
    const auto number = [&] { return duration(text()).count(); };
    for (std::string* field :
         {&item.id, &item.version, &item.name, &item.definition_sha256, &item.state, &item.not_before,
          &item.worker, &item.host, &item.claimed_at, &item.heartbeat_at, &item.enqueued_by,
          &item.enqueued_at, &item.finished_at, &item.run_uuid})
        *field = text();
    item.position = number();
    item.attempts = static_cast<std::uint64_t>(number());
    item.claim = number();
    item.process = number();
    item.worker_timeout = duration(text());
    if (const std::string errors = text(); !errors.empty()) item.errors = split(errors, '\n');
    item.due_in = duration(text());
    item.silent_for = duration(text());
    item.batches = static_cast<std::uint64_t>(number());
    return item;
}

}  // namespace

std::string titled(const QueueItem& item) {
    return item.version + " " + item.name;
}

std::string newest_error(const QueueItem& item) {
    return item.errors.empty() ? "" : std::string{trim(message_of(item.errors.back()))};
}

std::vector<std::string> with_error(std::vector<std::string> errors, const std::string& at,
                                    const std::string& error) {
    errors.push_back(at + " " + cut(on_one_line(error), longest_queue_error - at.size() - 1));
    const auto repeats = [&] {
        return errors.size() > 1 && message_of(errors.back()) == message_of(errors[errors.size() - 2]);
    };
    if (repeats()) errors.erase(errors.end() - 2);
    while (join(errors, "\n").size() > longest_queue_errors) errors.erase(errors.begin());
    return errors;
}

bool Queue::exists() const {
    return m_target.has_table(table());
}

/// The moment by the target's own clock, in milliseconds; a SQLite file has that of its host.
std::string Queue::now() const {
    return m_target.engine() == Engine::postgresql
               ? "pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp())"
               : "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
}

/// As utc_text() gives it.
std::string Queue::moment(const char* column) const {
    if (m_target.engine() != Engine::postgresql) return column;
    return fmt::format("pg_catalog.to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
                       column);
}

std::string Queue::milliseconds_until(const char* column) const {
    if (m_target.engine() == Engine::postgresql)
        return fmt::format("CAST(extract(epoch FROM {} - pg_catalog.clock_timestamp()) * 1000 AS bigint)",
                           column);
    return fmt::format("CAST((julianday({}) - julianday('now')) * 86400000 AS INTEGER)", column);
}

std::vector<QueueItem> Queue::select(const std::string& condition,
                                     const std::vector<Value>& parameters) const {
    const RowSet rows = m_target.query(
        fmt::format(
            "SELECT q.item_id, q.version, q.name, q.definition_sha256, q.state, {}, q.worker, q.host, "
            "q.claimed_at, {}, q.enqueued_by, {}, {}, q.run_uuid, q.position, q.attempts, q.claim, "
            "q.process, q.worker_timeout_ms, q.error, {}, -({}), "
            "(SELECT count(*) FROM {} b WHERE b.run_uuid = q.run_uuid AND b.batch <> '0') "
            "FROM {} q {}",
            moment("q.not_before"), moment("q.heartbeat_at"), moment("q.enqueued_at"),
            moment("q.finished_at"), milliseconds_until("q.not_before"), milliseconds_until("q.heartbeat_at"),
            m_target.journal_prefix() + "datachange_batches", table(), condition),
        parameters);
    std::vector<QueueItem> items;
    for (std::size_t row = 0; row < rows.size(); ++row) items.push_back(item_of(rows, row));
    return items;
}

std::vector<QueueItem> Queue::items(bool all) const {
    if (!exists()) return {};
    return select(fmt::format("WHERE {} ORDER BY q.position",
                              all ? "q.position > 0" : fmt::format("q.state IN {}", open_states)),
                  {});
}

std::optional<QueueItem> Queue::head() const {
    if (!exists()) return std::nullopt;
    const auto found =
        select(fmt::format("WHERE q.state IN {} ORDER BY q.position LIMIT 1", open_states), {});
    return found.empty() ? std::nullopt : std::optional{found.front()};
}

// --- enqueue

/// Until the end of the transaction nobody else gets a position, so that positions are committed in their
/// order.
void Queue::lock_positions() {
    if (m_target.engine() == Engine::postgresql)
        m_target.query(fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table()));
}

void Queue::put(const NewItem& item, const std::string& by) {
    m_target.query(
        fmt::format(
            "INSERT INTO {0} (item_id, position, version, name, definition_sha256, state, enqueued_by, "
            "enqueued_at) SELECT $1, coalesce(max(position), 0) + 1, $2, $3, $4, 'created', $5, {1} FROM {0}",
            table(), now()),
        {Value::text(new_uuid()), Value::text(item.version), Value::text(cut(item.name, longest_name)),
         Value::text(item.definition_sha256), Value::text(cut(on_one_line(by), longest_name))});
}

/// Of several that do it at once all but one fail, and find it made.
void Queue::create() {
    try {
        Fence(m_target).create();
    } catch (const Error&) {
        if (!exists()) throw;
    }
}

std::vector<QueueItem> Queue::enqueue(const std::vector<NewItem>& items, const std::string& by) {
    if (!exists()) create();
    return in_transaction(m_target, [&] {
        lock_positions();
        std::vector<QueueItem> queued;
        for (const NewItem& item : items) {
            const std::string open = fmt::format("WHERE q.version = $1 AND q.state IN {}", open_states);
            const auto there = select(open, {Value::text(item.version)});
            if (!there.empty()) {
                throw Error(
                    ExitCode::failed,
                    fmt::format("version {} is in the queue already: {}, enqueued by {} at {}", item.version,
                                there.front().state, there.front().enqueued_by, there.front().enqueued_at),
                    "`datachange queue` shows it, `datachange queue --retry VERSION` has a failed one tried "
                    "again. Nothing was enqueued.");
            }
            put(item, by);
            queued.push_back(select(open, {Value::text(item.version)}).at(0));
        }
        return queued;
    });
}

// --- a worker's turn

std::optional<QueueItem> Queue::take(const QueueItem& seen, const QueueWorker& worker,
                                     const std::function<bool(const QueueItem&)>& may_take) {
    return in_transaction(m_target, [&]() -> std::optional<QueueItem> {
        // the row alone is locked and looked at again: "the first row FOR UPDATE" would hand out the second
        // one to those who waited for the first
        const char* const lock = m_target.engine() == Engine::postgresql ? "FOR UPDATE OF q" : "";
        const auto locked = select(fmt::format("WHERE q.item_id = $1 {}", lock), {Value::text(seen.id)});
        const bool as_it_was =
            !locked.empty() && locked.front().state == seen.state && locked.front().claim == seen.claim;
        if (!as_it_was || !locked.front().open()) return std::nullopt;
        if (!may_take(locked.front())) return std::nullopt;
        m_target.query(
            fmt::format("UPDATE {} SET state = 'processing', claim = claim + 1, not_before = NULL, worker = "
                        "$1, host = "
                        "$2, process = $3, claimed_at = $4, worker_timeout_ms = $5, heartbeat_at = {} WHERE "
                        "item_id = "
                        "$6",
                        table(), now()),
            {Value::text(cut(worker.name, longest_name)), Value::text(cut(worker.host, longest_name)),
             Value::integer(worker.process), Value::text(utc_now()), Value::integer(worker.timeout.count()),
             Value::text(seen.id)});
        return select("WHERE q.item_id = $1", {Value::text(seen.id)}).at(0);
    });
}

/// @param condition and assignments count their parameters from $1
bool Queue::update(const std::string& assignments, const std::string& condition,
                   std::vector<Value> parameters) {
    const RowSet rows = m_target.query(
        fmt::format("UPDATE {} SET {} WHERE {} RETURNING item_id", table(), assignments, condition),
        parameters);
    return !rows.empty();
}

namespace {

constexpr const char* still_claimed = "item_id = $1 AND claim = $2 AND state = 'processing'";
constexpr const char* as_seen = "item_id = $1 AND claim = $2 AND state = $3";

std::vector<Value> claimed(const QueueItem& item) {
    return {Value::text(item.id), Value::integer(item.claim)};
}

std::vector<Value> seen(const QueueItem& item) {
    return {Value::text(item.id), Value::integer(item.claim), Value::text(item.state)};
}

}  // namespace

bool Queue::heartbeat(const QueueItem& item) {
    return update("heartbeat_at = " + now(), still_claimed, claimed(item));
}

bool Queue::note_run(const QueueItem& item, const std::string& run_uuid) {
    std::vector<Value> parameters = claimed(item);
    parameters.push_back(Value::text(run_uuid));
    return update("run_uuid = $3", still_claimed, std::move(parameters));
}

bool Queue::settle(const QueueItem& item, const QueueOutcome& outcome) {
    failpoint("queue.settling");
    const bool ended = outcome.state == "done" || outcome.state == "failed";
    const bool postgres = m_target.engine() == Engine::postgresql;
    const std::string due =
        outcome.state != "pending" ? "NULL"
        : postgres ? "pg_catalog.clock_timestamp() + CAST($6 AS bigint) * interval '1 millisecond'"
                   : "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ($6 / 1000.0) || ' seconds')";
    const auto errors =
        outcome.error.empty() ? item.errors : with_error(item.errors, utc_now(), outcome.error);
    std::vector<Value> parameters = claimed(item);
    parameters.push_back(Value::text(outcome.state));
    parameters.push_back(Value::integer(outcome.counts ? 1 : 0));
    parameters.push_back(Value::text_or_null(join(errors, "\n")));
    if (outcome.state == "pending") parameters.push_back(Value::integer(outcome.delay.count()));
    return update(
        fmt::format("state = $3, attempts = attempts + CAST($4 AS bigint), error = $5, not_before = {}, "
                    "finished_at = {}",
                    due, ended ? now() : "NULL"),
        still_claimed, std::move(parameters));
}

bool Queue::done_meanwhile(const QueueItem& item) {
    return update("state = 'done', not_before = NULL, finished_at = " + now(), as_seen, seen(item));
}

// --- what people ask of it

bool Queue::retry(const QueueItem& item, const std::string& definition_sha256) {
    std::vector<Value> parameters = seen(item);
    parameters.push_back(Value::text(definition_sha256));
    return update(
        "state = 'created', attempts = 0, not_before = NULL, finished_at = NULL, definition_sha256 = $4",
        as_seen, std::move(parameters));
}

bool Queue::remove(const QueueItem& item) {
    return update("state = 'removed', claim = claim + 1, not_before = NULL, finished_at = " + now(), as_seen,
                  seen(item));
}

}  // namespace datachange
