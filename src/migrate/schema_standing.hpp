#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "migrate/schema_file.hpp"
#include "migrate/schema_journal.hpp"
#include "target/target.hpp"

namespace datachange {

/// What an attempt at a schema migration finds.
struct SchemaStanding {
    std::optional<SchemaRow> row;
    bool to_do = true;
    bool ours = false;         ///< nothing is to do, because this attempt has done it
    std::string by;            ///< nothing is to do, because this one has done it or said so
    std::size_t done = 0;      ///< statements that count already
    bool interrupted = false;  ///< the next one was in hand when an earlier attempt was cut off
};

/// Looks what has become of it.
/// @throws Error (pending) if somebody is at work on it; (failed) if it, or a part of it, was applied with
/// another text
SchemaStanding standing_of(Target& target, const SchemaFile& file, const SchemaAttempt& attempt);

}  // namespace datachange
