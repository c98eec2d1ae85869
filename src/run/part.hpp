#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "run/batch_runner.hpp"
#include "run/preflight.hpp"

namespace datachange {

/// A part of a step's set that is to be a batch: a range, or for key lists a slice.
struct Part {
    std::string path;
    KeyRange range;
    std::uint64_t keys = 0;                    ///< that it had when it was cut
    std::shared_ptr<const RowSet> slice = {};  ///< by key list
    bool halved = false;                       ///< because it took too long
};

/// Two halves of a part; or one key that cannot be halved, if there is one at all.
struct Halves {
    std::vector<Part> halves;  ///< two or none, with the paths "7.1" and "7.2"
    std::string identifier;    ///< of the only key
};

/// Cuts a part in two. A range is asked for its keys, so runner has no transaction open.
Halves halve(BatchRunner& runner, const ReadyStep& step, const Part& part);

}  // namespace datachange
