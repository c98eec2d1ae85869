#pragma once

#include <memory>
#include <string>

#include "target/target.hpp"

namespace datachange {

/// A target that never tells a redacted value: in the columns that a statement redacts (SqlTemplate::redact)
/// its results have digests, and of errors of what was executed there is left only what holds no values.
/// Everything behind it - comparison, ledger, files, reports - so has nothing that it could give away.
///
/// Nothing is executed when a statement is prepared or described: what is said of it then is said in full.
/// @param key at least Redactor::shortest_key bytes
std::unique_ptr<Target> redacting(std::unique_ptr<Target> target, const std::string& key);

/// The same for work that keeps no values, and so needs no key that lasts: its digests are like no others.
std::unique_ptr<Target> withholding(Target& target);

}  // namespace datachange
