#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/target.hpp"

namespace datachange {

/// The set that batches run over: a query with :batch, and the columns of its result that are the key.
struct KeySource {
    SqlTemplate query;
    std::vector<std::string> columns;  ///< names in its result, in order
    std::vector<std::string> types;
    bool distinct = false;  ///< several rows may have one key (`keys`); each key counts once
};

/// The whole set as it is now.
struct SetSize {
    std::uint64_t keys = 0;
    std::uint64_t null_keys =
        0;  ///< rows with a NULL in the key, not counted in keys where these are distinct
    std::optional<Key> greatest;
};

/// Counts a set and finds its greatest key; two queries, so call it within one snapshot.
SetSize measure(Target& target, const KeySource& source, bool with_greatest);

/// Counts the keys of a range.
std::uint64_t count_keys(Target& target, const KeySource& source, const KeyRange& range);

/// A range that is to be a batch.
struct NextRange {
    KeyRange range;
    std::uint64_t keys = 0;
};

/// The next `rows` keys behind `after` that are not above `greatest`, or nothing. By keyset: the upper bound
/// is the key of the set's own last row in it.
std::optional<NextRange> next_range(Target& target, const KeySource& source, const std::optional<Key>& after,
                                    const Key& greatest, std::uint64_t rows);

}  // namespace datachange
