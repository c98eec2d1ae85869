#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datachange/run.hpp"
#include "definition/definition.hpp"

namespace datachange {

/// How a step can be cut into batches.
enum class Batching {
    none,      ///< only in one transaction
    range,     ///< pre and every statement of change say :batch
    key_list,  ///< change says :affected
};

/// One step with everything that its definition and the options decide, before anything is known of the data.
struct StepPlan {
    Step step;
    Batching batching = Batching::none;
    std::string obstacle;           ///< why it cannot be batched, a clause; empty where it can
    std::string advice;             ///< what to add so that it can, a sentence
    std::string obstacle_at;        ///< "line:column", or ""
    std::uint64_t batch_size = 0;   ///< rows
    bool ranges_over_keys = false;  ///< range: over the rows of `keys` instead of `pre`
    bool skips_failures = false;    ///< a row that cannot be changed does not stop the run

    bool forced_single() const { return step.transaction == TransactionWish::single; }
};

/// What a run will do; a value, without I/O.
struct Plan {
    Definition definition;
    std::vector<StepPlan> steps;
    std::uint64_t batch_threshold = 0;  ///< rows; a step with more is batched
    bool single_transaction = false;
    bool strict = false;  ///< rows changed beside the audited ones are an error

    bool only_verifies() const;
    bool redacts() const;        ///< some step redacts columns
    bool may_run_again() const;  ///< repeatable, or an integrity check
};

/// Rows in a batch where neither the definition nor the command says.
inline constexpr std::uint64_t default_batch_size = 5'000;

Plan make_plan(Definition definition, const RunOptions& options);

/// "single" or "batched" for the whole run, given the number of rows that each step's set has now.
enum class Mode { single, batched };
const char* mode_name(Mode mode) noexcept;

/// True if this step wants batches for a set of this size.
bool wants_batches(const Plan& plan, const StepPlan& step, std::uint64_t rows);

/// Decides between one transaction and batches.
/// @param rows planned rows of each step, in order.
/// @throws Error (failed) if a large step cannot be batched and nothing says that one transaction is meant.
Mode choose_mode(const Plan& plan, const std::vector<std::uint64_t>& rows);

}  // namespace datachange
