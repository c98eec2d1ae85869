#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"

namespace datachange {

/// The values of the identifier columns of one row, in the order of the header's `identifier`.
using Key = std::vector<Value>;

/// A key as users read it and the ledger stores it: the text of one column; a JSON array of texts for
/// several. A blob reads x'6162'.
std::string key_text(const Key& key);
/// The same for a key of one column.
std::string key_text(ValueView value);

/// For hash tables of keys: an unambiguous string, equal exactly where the keys are.
std::string key_fingerprint(const std::vector<ValueView>& key);
std::string key_fingerprint(const Key& key);

/// The keys `after < key <= upto`; a bound that is not there does not bound. Both absent: everything, and
/// :batch becomes TRUE.
struct KeyRange {
    std::optional<Key> after;
    std::optional<Key> upto;

    bool everything() const { return !after && !upto; }
};

}  // namespace datachange
