#include "record/ledger/version_events.hpp"

#include "record/record.hpp"

namespace datachange {

void record_version_event(const std::string& path, const VersionEvent& event,
                          const std::function<void()>& change) {
    record_version_events(path, {event}, change);
}

void record_version_events(const std::string& path, const std::vector<VersionEvent>& events,
                           const std::function<void()>& change) {
    Ledger ledger = Ledger::open(path, RecordOptions{}.ledger_lock_timeout_ms);
    ledger.guarded(
        [&] {
            ledger.transact([&] {
                for (const VersionEvent& event : events) insert_version_event(ledger, event);
                change();
            });
        },
        "`datachange status` tells what stands in the target.");
}

void insert_version_event(Ledger& ledger, const VersionEvent& event) {
    ledger.execute(
        "INSERT INTO version_events(at, version, target, kind, detail, operator, host) VALUES (?, ?, ?, ?, "
        "?, ?, ?)",
        event.at, event.version, event.target, event.kind, event.detail, event.operator_name, event.host);
}

bool has_version_event(Ledger& ledger, const VersionEvent& event) {
    SQLite::Statement& query = ledger.bound(
        "SELECT 1 FROM version_events WHERE at = ? AND version = ? AND target = ? AND kind = ? AND detail = ?"
        " AND operator = ? AND host = ?",
        event.at, event.version, event.target, event.kind, event.detail, event.operator_name, event.host);
    const bool there = query.executeStep();
    query.reset();
    return there;
}

}  // namespace datachange
