#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "migrate/queue.hpp"
#include "run/stop.hpp"
#include "target/target.hpp"

namespace datachange {

struct WorkerOptions {
    bool once = false;  ///< ends when the queue is empty, or blocked
    std::chrono::milliseconds poll_interval{2'000};
    unsigned max_attempts = 3;
    std::chrono::milliseconds retry_delay{
        10'000};  ///< before the second attempt; doubled before each further one
    std::chrono::milliseconds worker_timeout{60'000};
};

/// Each wait before another attempt is at most this long, and at least half of what it is without jitter.
inline constexpr std::chrono::milliseconds longest_retry_delay{600'000};

/// What a worker has of an item is done by these.
struct WorkerParts {
    /// Another connection to the target. @throws Error (unreachable)
    std::function<std::unique_ptr<Target>()> connect;
    /// Runs a version, or goes on with a run of it and takes it over. Asks `entered` as RunParts::entered
    /// says.
    /// @param resume UUID of the run that goes on; "": a new one is begun, or one that stopped goes on
    /// @throws Error as run_plan
    std::function<void(
        const std::string& path, const std::string& resume,
        const std::function<void(Target&, const std::string& uuid, const std::string& sha256)>& entered,
        StopRequest& stop)>
        execute;
    /// Tells a person what goes on; one line.
    std::function<void(const std::string&)> tell;
    std::string dir;    ///< of the definitions
    std::string group;  ///< of the target; "": not known
    StopRequest& stop;  ///< after the batch in hand
};

/// Why a worker has ended.
enum class WorkEnd {
    idle,         ///< nothing was left to do, or nothing in hand when it was asked to stop
    interrupted,  ///< asked to stop within a run, which can be gone on with
};

/// Takes version after version from the queue of one target, until it is asked to stop (with `once`: until
/// the queue is empty). A target that is lost is connected to again, for ever (with `once`: a few times).
/// @throws Error if the queue cannot be read or written; with `once` also (pending) where the head has
/// failed, or is held by somebody who is not in the queue
WorkEnd work_on_queue(const WorkerOptions& options, const WorkerParts& parts);

/// Nobody is at work on an item in processing, so far as that can be told from here at once: its process on
/// this host is gone, or it was not heard for as long as it said. (A worker on a SQLite file looks twice.)
bool worker_gone(const QueueItem& item);

}  // namespace datachange
