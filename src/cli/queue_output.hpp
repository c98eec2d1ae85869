#pragma once

#include <string>
#include <vector>

#include "migrate/queue.hpp"

namespace datachange {

/// Items of the queue as one JSON object: target, items.
std::string queue_json(const std::string& target, const std::vector<QueueItem>& items);
/// The same as a table. @param widest columns of a cell at most; 0: no limit
std::string queue_text(const std::vector<QueueItem>& items, std::size_t widest = 0);

}  // namespace datachange
