#pragma once

#include <cstdint>

#include "record/ledger/ledger.hpp"
#include "run/journal.hpp"

namespace datachange {

/// The right to write evidence of a run: it belongs to the greatest epoch. A process that was stopped for
/// long, and whose run somebody else has gone on with, has lost it without knowing.
class Ownership {
public:
    Ownership(Ledger& ledger, std::int64_t run_id, std::int64_t epoch)
        : m_ledger(ledger), m_run_id(run_id), m_epoch(epoch) {}

    /// To be called in the transaction that writes, before anything is written.
    /// @throws TakenOver; SQLite::Exception
    void require() const;

private:
    Ledger& m_ledger;
    std::int64_t m_run_id;
    std::int64_t m_epoch;
};

/// What is said to one whose run belongs to somebody else now.
TakenOver taken_over(Ledger& ledger, std::int64_t run_id);

}  // namespace datachange
