#pragma once

#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "migrate/queue.hpp"
#include "migrate/sequence.hpp"
#include "run/version_state.hpp"

namespace datachange {

/// Puts definitions into the queue of a target, in the given order. All of it is checked before any is put
/// there.
/// @param names as find_definition takes them
/// @throws Error (usage) for a definition that is wrong; (failed) if one is not pending, or in the queue
/// already
std::vector<QueueItem> enqueue_named(const Settings& settings, Target& target,
                                     const std::vector<std::string>& names);

/// The same for what is pending and not in the queue yet, in the order of versions.
/// @param sequence which of them are meant
std::vector<QueueItem> enqueue_pending(const Settings& settings, Target& target,
                                       const SequenceOptions& sequence = {});

void print_enqueued(const Target& target, const std::vector<QueueItem>& items, const OutputOptions& output);

}  // namespace datachange
