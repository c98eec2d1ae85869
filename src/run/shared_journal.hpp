#pragma once

#include <mutex>
#include <type_traits>

#include "run/journal.hpp"

namespace datachange {

/// A journal that several workers write to: one call at a time, and one at a time from staging to 'prepared'.
class SharedJournal final : public Journal {
public:
    explicit SharedJournal(Journal& journal) : m_journal(journal) {}

    /// Keeps others out for several calls: what is staged belongs to one of them.
    std::unique_lock<std::recursive_mutex> hold() { return std::unique_lock(m_mutex); }

    std::int64_t begin_run(const RunHeader& header) override {
        return alone([&] { return m_journal.begin_run(header); });
    }
    void begin_step(const StepHeader& header) override {
        alone([&] { m_journal.begin_step(header); });
    }
    PriorEvidence resume_run(const RunHeader& header, const std::vector<StepHeader>& steps,
                             const std::vector<CommittedBatch>& committed) override {
        return alone([&] { return m_journal.resume_run(header, steps, committed); });
    }
    std::int64_t known_epoch(const std::string& uuid) override {
        return alone([&] { return m_journal.known_epoch(uuid); });
    }
    std::string ledger_uuid() const override { return m_journal.ledger_uuid(); }
    std::string stage(const BatchRecord& batch) override {
        return alone([&] { return m_journal.stage(batch); });
    }
    void prepare(const std::string& transaction_id) override {
        alone([&] { m_journal.prepare(transaction_id); });
    }
    void discard() noexcept override {
        const auto held = hold();
        m_journal.discard();
    }
    void settle(Outcome outcome, const std::vector<CommittedBatch>& batches) override {
        alone([&] { m_journal.settle(outcome, batches); });
    }
    void summary(int step, const std::string& moment, const RowSet& result) override {
        alone([&] { m_journal.summary(step, moment, result); });
    }
    void event(const std::string& kind, const std::string& detail) override {
        alone([&] { m_journal.event(kind, detail); });
    }
    void failure(const RowFailure& failure) override {
        alone([&] { m_journal.failure(failure); });
    }
    void failure_resolved(int step, const std::string& identifier) override {
        alone([&] { m_journal.failure_resolved(step, identifier); });
    }
    std::vector<RowFailure> failures() override {
        return alone([&] { return m_journal.failures(); });
    }
    void state(const std::string& state) override {
        alone([&] { m_journal.state(state); });
    }
    void collateral(int step, const std::string& batch, const std::vector<Collateral>& tables) override {
        alone([&] { m_journal.collateral(step, batch, tables); });
    }
    void spool(int step, const RowSet& rows) override {
        alone([&] { m_journal.spool(step, rows); });
    }
    RowSet spooled(int step, std::uint64_t from, std::uint64_t count) override {
        return alone([&] { return m_journal.spooled(step, from, count); });
    }
    std::uint64_t spool_size(int step) override {
        return alone([&] { return m_journal.spool_size(step); });
    }
    void drop_spool(int step) override {
        alone([&] { m_journal.drop_spool(step); });
    }
    std::vector<CsvPaths> finish(const Finish& finish) override {
        return alone([&] { return m_journal.finish(finish); });
    }
    std::string csv_directory() const override { return m_journal.csv_directory(); }

private:
    template <typename Call>
    std::invoke_result_t<Call&> alone(Call&& call) {
        const auto held = hold();
        return call();
    }

    Journal& m_journal;
    std::recursive_mutex m_mutex;
};

}  // namespace datachange
