#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "target/target.hpp"

namespace datachange {

/// A version that is to be run in the background, as the queue in the target has it.
struct QueueItem {
    std::string id;             ///< UUID
    std::int64_t position = 0;  ///< its turn: strictly ascending, and never given twice
    std::string version, name;
    std::string definition_sha256;  ///< of the file when it was enqueued
    /// created (waits for its turn); pending (will be tried again); processing; done; failed; removed
    std::string state;
    std::uint64_t attempts = 0;  ///< those that failed
    std::string not_before;      ///< of a pending one: ISO 8601, UTC; "": at once
    std::int64_t claim = 0;      ///< raised by each worker that takes it: how often it was taken
    std::string worker;          ///< the one that has it, or had it last; "": none
    std::string host;            ///< where that is, and
    std::int64_t process = 0;    ///< in which process there,
    std::string claimed_at;      ///< since when: ISO 8601, UTC, by its host's clock
    std::string heartbeat_at;    ///< when it was heard last, by the target's clock
    std::string enqueued_by, enqueued_at, finished_at;
    std::string run_uuid;  ///< the newest run of it that a worker began; ""
    std::vector<std::string>
        errors;  ///< one a failed attempt, the newest last: "2026-03-01T12:00:00.000Z message"

    std::chrono::milliseconds due_in{0};          ///< of a pending one, by the target's clock
    std::chrono::milliseconds silent_for{0};      ///< since the heartbeat, by the target's clock
    std::chrono::milliseconds worker_timeout{0};  ///< after which its worker wants to be taken for dead
    std::uint64_t batches = 0;                    ///< committed ones of run_uuid

    /// It stands in the queue, and blocks those behind it.
    bool open() const { return state != "done" && state != "removed"; }
};

/// What the errors of an item may take: each is cut to this many bytes, and the oldest go.
inline constexpr std::size_t longest_queue_error = 1'000;
inline constexpr std::size_t longest_queue_errors = 8'000;

/// A worker on the queue.
struct QueueWorker {
    std::string name;  ///< unique: no other worker has ever had it
    std::string host;
    std::int64_t process = 0;
    std::chrono::milliseconds timeout{60'000};  ///< silent for so long, it is taken for dead
};

/// What is to be enqueued.
struct NewItem {
    std::string version, name, definition_sha256;
};

/// What has become of an item that a worker had.
struct QueueOutcome {
    std::string state;                   ///< created | pending | done | failed
    std::string error;                   ///< ""; added to its errors
    bool counts = false;                 ///< as an attempt that failed
    std::chrono::milliseconds delay{0};  ///< before a pending one is due
};

/// The queue in the target's journal, table datachange_queue: versions that are run strictly one after
/// another.
///
/// Only the head is ever taken, the open item of the lowest position; who looks whether it may be taken locks
/// that row (SQLite: the file), and nobody skips it. A claim's number names one taking: whatever a worker
/// writes of an item counts only while its claim is the last one.
class Queue {
public:
    explicit Queue(Target& target) : m_target(target) {}

    bool exists() const;
    /// In order; empty if the table is not there. @param all those that are done or removed as well
    std::vector<QueueItem> items(bool all) const;
    /// The item whose turn it is.
    std::optional<QueueItem> head() const;

    /// Puts them behind all others, in one transaction; makes the journal's tables where they are not there.
    /// @return them as they stand there
    /// @throws Error (failed) if one stands in the queue already, or as Fence::create: then none was put
    /// there
    std::vector<QueueItem> enqueue(const std::vector<NewItem>& items, const std::string& by);

    /// Takes the head, if it is still the one that the caller has looked at, with that claim, and `may_take`
    /// (asked with the row locked) says so. @return it as taken; nothing: it is not to be had
    std::optional<QueueItem> take(const QueueItem& seen, const QueueWorker& worker,
                                  const std::function<bool(const QueueItem&)>& may_take);

    // Each of these does nothing and gives false if the item was taken by somebody else, or removed, since.
    bool heartbeat(const QueueItem& item);
    /// Notes the run that is begun for the item, or gone on with.
    bool note_run(const QueueItem& item, const std::string& run_uuid);
    bool settle(const QueueItem& item, const QueueOutcome& outcome);
    /// An item that has failed or waits turns out to be done.
    bool done_meanwhile(const QueueItem& item);

    /// Has a failed or pending one tried again at once, with all attempts before it, and the definition as it
    /// is now.
    bool retry(const QueueItem& item, const std::string& definition_sha256);
    /// Takes one out of the queue; it stays as history.
    bool remove(const QueueItem& item);

private:
    std::vector<QueueItem> select(const std::string& condition, const std::vector<Value>& parameters) const;
    bool update(const std::string& assignments, const std::string& condition, std::vector<Value> parameters);
    std::string table() const { return m_target.journal_prefix() + "datachange_queue"; }
    std::string now() const;
    std::string milliseconds_until(const char* column) const;
    std::string moment(const char* column) const;
    void create();
    void put(const NewItem& item, const std::string& by);
    void lock_positions();

    Target& m_target;
};

/// "20260301120000 backfill_names", for messages.
std::string titled(const QueueItem& item);

/// The newest error of an item, without the time before it; "": there was none.
std::string newest_error(const QueueItem& item);

/// The errors of an item with one more; one that only repeats the newest takes its place.
std::vector<std::string> with_error(std::vector<std::string> errors, const std::string& at,
                                    const std::string& error);

}  // namespace datachange
