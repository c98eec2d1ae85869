#pragma once

#include <functional>
#include <vector>

#include "run/backoff.hpp"
#include "run/control.hpp"
#include "run/transaction.hpp"

namespace datachange {

/// Runs transactions until they have ended one way or the other: tries again what may pass (conflicts, locks,
/// lost connections), and decides what became of a COMMIT that was not answered.
class BatchRunner {
public:
    /// @param retries of one transaction
    BatchRunner(const TransactionParts& parts, Control& control, unsigned retries);

    /// @return what the committed units gave
    /// @throws DatabaseError if it does not help to try again, or not any more; the transaction is rolled
    /// back then.
    /// @throws Error (pending) if a COMMIT is in doubt and the target cannot be asked. Stopped, Cancelled.
    std::vector<UnitResult> run(const std::vector<Unit>& units);

    /// Runs work in a transaction that reads one snapshot; again in another, as often as that may help.
    void read_only(const std::function<void()>& work);
    /// Runs work outside of transactions, likewise.
    void retrying(const std::function<void()>& work);

    Target& target() { return m_parts.target; }
    Control& control() { return m_control; }

    /// Says that a COMMIT of the run in flight is waited for, and in which session; throws Stopped.
    std::function<void()> wait_notice();

private:
    void prepare_retry(const DatabaseError& error, Attempt& attempt, const std::vector<Unit>& units);
    void reconnect(Attempt& attempt);
    void decide(TriedTransaction& tried);
    bool can_lock(const std::vector<Unit>& units) const;

    TransactionParts m_parts;
    Control& m_control;
    const unsigned m_retries;
    Backoff m_backoff;
};

}  // namespace datachange
