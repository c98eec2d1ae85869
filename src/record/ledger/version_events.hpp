#pragma once

#include <functional>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"

namespace datachange {

/// Something that was said or done about a version of a target, and is no run: a mark, an adoption, a schema
/// migration.
struct VersionEvent {
    std::string at;       ///< utc_now()
    std::string version;  ///< "": of no single one
    std::string target;   ///< without password
    std::string kind;     ///< marked | adopted | schema
    std::string detail;   ///< a sentence for people
    std::string operator_name, host;
};

/// Enters it in a ledger, which is made if it is not there, together with the change of the target that it is
/// about: if the ledger cannot be written nothing is changed, and if the change throws nothing is entered.
/// @param change what is done in the target, to its end
/// @throws Error (unreachable)
void record_version_event(const std::string& ledger, const VersionEvent& event,
                          const std::function<void()>& change);
/// The same of several events, of which all are entered or none.
void record_version_events(const std::string& ledger, const std::vector<VersionEvent>& events,
                           const std::function<void()>& change);

// Within a transaction; both throw SQLite::Exception.
void insert_version_event(Ledger& ledger, const VersionEvent& event);
bool has_version_event(Ledger& ledger, const VersionEvent& event);

}  // namespace datachange
