#pragma once

#include <map>
#include <string>
#include <vector>

#include "capture/capture.hpp"
#include "datachange/run.hpp"
#include "run/transaction.hpp"

namespace datachange {

/// Adds up what committed batches gave, into the result that the caller of a run gets.
class Tally {
public:
    explicit Tally(RunResult& result) : m_result(result) {}

    void add(const Unit& unit, const UnitResult& given);
    /// What the run had done before it stopped. @param steps of the definition; those behind are watched
    /// tables
    void add_prior(const PriorEvidence& evidence, std::size_t steps);
    /// Sentences on what a person should look at, from all batches.
    std::vector<std::string> warnings() const;
    /// Rows changed beside the audited ones, by table.
    std::vector<Collateral> collateral() const;

private:
    void add_collateral(const Collateral& table);
    void add_conflicts(const StepCapture& capture, int step);
    void note_examples(const StepCapture& capture);

    RunResult& m_result;
    std::map<std::string, Collateral> m_collateral;
    std::uint64_t m_drifted = 0;
    std::uint64_t m_not_restored = 0;
    std::string m_not_restored_example;
    std::string m_drift_example, m_missing_example, m_no_witness, m_overcounts;
};

}  // namespace datachange
