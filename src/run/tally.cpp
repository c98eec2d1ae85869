#include "run/tally.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

namespace {

const char* was_or_were(std::uint64_t count) {
    return count == 1 ? "was" : "were";
}

}  // namespace

void Tally::add(const Unit& unit, const UnitResult& given) {
    const Step& step = unit.step->plan->step;
    const StepCapture& capture = given.capture;
    StepResult& result = m_result.steps[static_cast<std::size_t>(step.number) - 1];
    result.rows += capture.rows.counts;
    m_result.rows += capture.rows.counts;
    for (std::size_t i = 0; i < capture.watches.size(); ++i) {
        m_result.steps[static_cast<std::size_t>(unit.first_watch) - 1 + i].rows += capture.watches[i].counts;
    }
    if (!given.summary_before.empty()) result.summary_before = given.summary_before;
    if (!given.summary_after.empty()) result.summary_after = given.summary_after;
    if (!step.only_verifies()) ++m_result.batches;
    for (const Collateral& table : capture.collateral) add_collateral(table);
    add_conflicts(capture, step.number);
    note_examples(capture);
}

void Tally::add_prior(const PriorEvidence& evidence, std::size_t steps) {
    for (const PriorEvidence::StepEvidence& before : evidence.steps) {
        const auto index = static_cast<std::size_t>(before.step) - 1;
        if (index >= m_result.steps.size()) continue;
        m_result.steps[index].rows += before.rows;
        if (index >= steps) continue;
        m_result.rows += before.rows;
        m_result.batches += before.batches;
    }
    for (std::size_t i = 0; i < evidence.summaries_before.size() && i < steps; ++i) {
        m_result.steps[i].summary_before = evidence.summaries_before[i];
    }
    for (const CommittedBatch& batch : evidence.elsewhere) {
        if (static_cast<std::size_t>(batch.step) > steps) continue;
        ++m_result.batches_elsewhere;
        m_result.rows_elsewhere += batch.rows;
    }
    m_result.lost_batches = static_cast<std::uint64_t>(std::count_if(
        evidence.lost.begin(), evidence.lost.end(),
        [&](const CommittedBatch& batch) { return static_cast<std::size_t>(batch.step) <= steps; }));
    for (const Collateral& table : evidence.collateral) add_collateral(table);
}

void Tally::add_conflicts(const StepCapture& capture, int step) {
    constexpr std::size_t most = 100;
    m_result.conflicting_rows += capture.conflicting_rows;
    for (const RowConflict& conflict : capture.conflicts) {
        if (m_result.conflicts.size() == most) return;
        m_result.conflicts.push_back(conflict);
        m_result.conflicts.back().step = step;
    }
}

void Tally::note_examples(const StepCapture& capture) {
    m_drifted += capture.drifted;
    if (m_drift_example.empty() && !capture.drifted_keys.empty())
        m_drift_example = capture.drifted_keys.front();
    if (capture.witness == TouchedTables::Trust::unavailable) m_no_witness = capture.witness_reason;
    if (capture.witness == TouchedTables::Trust::may_overcount && !capture.collateral.empty())
        m_overcounts = capture.witness_reason;
    if (m_missing_example.empty()) m_missing_example = capture.missing_example;
    if (m_not_restored == 0) m_not_restored_example = capture.not_restored_example;
    m_not_restored += capture.not_restored;
}

void Tally::add_collateral(const Collateral& table) {
    Collateral& sum = m_collateral[table.table];
    sum.table = table.table;
    sum.inserted += table.inserted;
    sum.updated += table.updated;
    sum.deleted += table.deleted;
    sum.truncated = sum.truncated || table.truncated;
}

std::vector<std::string> Tally::warnings() const {
    std::vector<std::string> warnings;
    if (m_result.rows.missing > 0) {
        warnings.push_back(fmt::format("{} of pre {} not changed, for example {}",
                                       counted(m_result.rows.missing, "row"),
                                       was_or_were(m_result.rows.missing), m_missing_example));
    }
    if (m_not_restored > 0) {
        warnings.push_back(
            fmt::format("{} still not as before the run, for example {}: a trigger has changed what "
                        "was put back",
                        m_not_restored == 1 ? "1 row is" : with_thousands(m_not_restored) + " rows are",
                        m_not_restored_example));
    }
    if (m_drifted > 0) {
        warnings.push_back(
            fmt::format("{} had changed since the set was read, and {} left out, for example {}",
                        counted(m_drifted, "row"), was_or_were(m_drifted), m_drift_example));
    }
    if (!m_overcounts.empty())
        warnings.push_back("rows changed in other tables may be fewer than counted: " + m_overcounts);
    if (!m_result.failures.empty()) {
        warnings.push_back(fmt::format(
            "{} could not be changed, for example {}: {}", counted(m_result.failures.size(), "row"),
            m_result.failures.front().identifier, split(m_result.failures.front().message, '\n').front()));
    }
    if (m_result.batches_elsewhere > 0) {
        warnings.push_back(fmt::format("the evidence of {} with {} is in another ledger",
                                       counted(m_result.batches_elsewhere, "batch"),
                                       counted(m_result.rows_elsewhere, "changed row")));
    }
    if (m_result.lost_batches > 0) {
        warnings.push_back(
            fmt::format("{} that had committed {} gone from the target ('lost' in the ledger), and "
                        "their ranges were run again",
                        counted(m_result.lost_batches, "batch"), m_result.lost_batches == 1 ? "is" : "are"));
    }
    if (!m_no_witness.empty())
        warnings.push_back("changes in other tables could not be counted: " + m_no_witness);
    return warnings;
}

std::vector<Collateral> Tally::collateral() const {
    std::vector<Collateral> tables;
    for (const auto& [name, table] : m_collateral) tables.push_back(table);
    return tables;
}

}  // namespace datachange
