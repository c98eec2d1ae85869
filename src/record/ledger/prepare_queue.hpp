#pragma once

#include <exception>
#include <mutex>
#include <vector>

#include "record/ledger/batch_writer.hpp"
#include "record/ledger/ledger.hpp"

namespace datachange {

/// Group commit: what workers bring while the ledger is busy goes to its disk in one transaction.
class PrepareQueue {
public:
    /// Batches of one transaction of the target, and why they could not be made durable, if so.
    struct Entry {
        PreparedBatches batches;
        std::exception_ptr failure;
    };

    /// From any thread. The entry stays the caller's, who keeps it until write() has been called once more.
    void add(Entry& entry);
    /// In the ledger's thread: makes everything durable that has been added up to now, which may be nothing,
    /// if an earlier call took it along.
    void write(Ledger& ledger, BatchWriter& writer);

private:
    std::mutex m_mutex;
    std::vector<Entry*> m_entries;
};

}  // namespace datachange
