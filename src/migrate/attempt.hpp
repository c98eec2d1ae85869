#pragma once

#include <chrono>
#include <string>

#include "datachange/error.hpp"
#include "migrate/queue.hpp"

namespace datachange {

/// What has become of an item that a worker had in hand.
struct Attempt : QueueOutcome {
    bool taken = false;        ///< somebody else has the item now
    bool interrupted = false;  ///< the worker was asked to stop
    bool held = false;         ///< by somebody who is not in the queue
};

Attempt done();
Attempt failed(std::string error);
/// Tried again, and not counted.
Attempt held(std::string error);
/// Gone on with by the next worker.
Attempt interrupted();
/// @param last then it has failed
Attempt failed_attempt(const Error& error, bool last, std::chrono::milliseconds delay);

/// Whether the same may do better later: the target or the ledger was away, the database refused something,
/// or the run has failed half-way. What was said to be wrong, or was refused before anything was changed,
/// stays so.
bool may_pass(const Error& error);
/// Of an error that does not pass by itself: held, or failed.
Attempt outcome_of(const Error& error);

/// An error as it stands in the queue.
std::string error_text(const Error& error);

}  // namespace datachange
