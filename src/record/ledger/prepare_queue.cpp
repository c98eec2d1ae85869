#include "record/ledger/prepare_queue.hpp"

#include <utility>

namespace datachange {

namespace {

void write_together(Ledger& ledger, BatchWriter& writer, const std::vector<PrepareQueue::Entry*>& entries) {
    std::vector<PreparedBatches> transactions;
    for (const PrepareQueue::Entry* entry : entries) transactions.push_back(entry->batches);
    std::exception_ptr failure;
    try {
        ledger.guarded([&] { writer.prepare(transactions); });
    } catch (...) {
        failure = std::current_exception();
    }
    for (PrepareQueue::Entry* entry : entries) entry->failure = failure;
}

}  // namespace

void PrepareQueue::add(Entry& entry) {
    const std::lock_guard lock(m_mutex);
    m_entries.push_back(&entry);
}

/// If they fail together, each for itself: what is wrong with one must not fail the others.
void PrepareQueue::write(Ledger& ledger, BatchWriter& writer) {
    std::vector<Entry*> entries;
    {
        const std::lock_guard lock(m_mutex);
        entries.swap(m_entries);
    }
    if (entries.empty()) return;
    write_together(ledger, writer, entries);
    if (entries.size() == 1) return;
    for (Entry* entry : entries) {
        if (entry->failure) write_together(ledger, writer, {entry});
    }
}

}  // namespace datachange
